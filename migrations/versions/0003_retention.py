"""How long ended jobs are kept, by project; a job may outlive its recording.

The new constraint allows more than the old one, and the new columns may be empty: processes of the version before go on
working beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HAS_RECORDING = "audio_key IS NOT NULL OR audio_url IS NOT NULL"


def upgrade() -> None:
    for column in ("retention_s", "audio_retention_s"):
        op.add_column("projects", sa.Column(column, sa.Float(), nullable=True))
        op.create_check_constraint(op.f(f"ck_projects_{column}"), "projects", f"{column} > 0")
    op.drop_constraint(op.f("ck_jobs_has_recording"), "jobs", type_="check")
    op.create_check_constraint(op.f("ck_jobs_has_recording"), "jobs", f"{HAS_RECORDING} OR finished_at IS NOT NULL")
    op.create_index(
        "ix_jobs_ended",
        "jobs",
        ["finished_at", "id", "state", "error_code"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_ended", table_name="jobs", postgresql_where=sa.text("finished_at IS NOT NULL"))
    op.drop_constraint(op.f("ck_jobs_has_recording"), "jobs", type_="check")
    # NOT VALID: the jobs whose recording is gone already stay, for their transcripts.
    op.create_check_constraint(op.f("ck_jobs_has_recording"), "jobs", HAS_RECORDING, postgresql_not_valid=True)
    for column in ("retention_s", "audio_retention_s"):
        op.drop_constraint(op.f(f"ck_projects_{column}"), "projects", type_="check")
        op.drop_column("projects", column)
