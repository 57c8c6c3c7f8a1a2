"""A notebook beside the tables: triggers write down every change of a job, so that a checker can judge them later.

It lives in a schema of its own, where the application does not look and a TRUNCATE of its tables does not reach.
"""

from sqlalchemy import Engine

INSTALL = """
CREATE SCHEMA IF NOT EXISTS audit;
DROP TABLE IF EXISTS audit.changes;
CREATE TABLE audit.changes (
    n bigserial PRIMARY KEY, what text, job_id uuid, old_state text, state text, old_claim uuid, claim uuid,
    ended_by uuid, attempts int, counted int, is_parked boolean,
    at timestamptz DEFAULT clock_timestamp(), last_beat_at timestamptz
);

CREATE OR REPLACE FUNCTION audit.job_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.changes
        (what, job_id, old_state, state, old_claim, claim, ended_by, attempts, counted, is_parked, last_beat_at)
    VALUES ('job', NEW.id, OLD.state, NEW.state, OLD.claim, NEW.claim, NEW.ended_by, NEW.attempt - OLD.attempt,
            NEW.failures + NEW.crashes + NEW.releases - OLD.failures - OLD.crashes - OLD.releases,
            NEW.mode = 'diarization' AND NEW.run_at = '9000-01-01 00:00+00', OLD.beat_at);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION audit.result_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.changes (what, job_id, state, claim) SELECT TG_TABLE_NAME, id, state, claim
    FROM public.jobs WHERE id = NEW.job_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER audit AFTER UPDATE ON jobs FOR EACH ROW
    WHEN (OLD.state <> NEW.state OR OLD.claim IS DISTINCT FROM NEW.claim) EXECUTE FUNCTION audit.job_changed();
CREATE OR REPLACE TRIGGER audit AFTER INSERT ON job_parts FOR EACH ROW EXECUTE FUNCTION audit.result_written();
CREATE OR REPLACE TRIGGER audit AFTER INSERT ON job_transcripts FOR EACH ROW EXECUTE FUNCTION audit.result_written();
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE ON job_turns
    FOR EACH ROW EXECUTE FUNCTION audit.result_written();
"""

REMOVE = """
DROP TRIGGER IF EXISTS audit ON jobs;
DROP TRIGGER IF EXISTS audit ON job_parts;
DROP TRIGGER IF EXISTS audit ON job_transcripts;
DROP TRIGGER IF EXISTS audit ON job_turns;
DROP SCHEMA IF EXISTS audit CASCADE;
"""


def install(engine: Engine) -> None:
    """Begin to write down, on an empty page."""
    _execute(engine, INSTALL)


def remove(engine: Engine) -> None:
    """Leave the tables as they were."""
    _execute(engine, REMOVE)


def _execute(engine: Engine, script: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(script)
