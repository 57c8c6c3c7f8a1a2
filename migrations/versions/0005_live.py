"""Live sessions: what is durable of them, and jobs that work on the recording of another.

A live job has no recording while it runs, which the constraint now allows; processes of the version before know
nothing of this mode and go on working beside it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

HAS_RECORDING = "audio_key IS NOT NULL OR audio_url IS NOT NULL OR finished_at IS NOT NULL"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("source_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_jobs_source_id_jobs"), "jobs", "jobs", ["source_id"], ["id"], ondelete="SET NULL")
    op.create_index(
        "ix_jobs_source_id", "jobs", ["source_id"], unique=False, postgresql_where=sa.text("source_id IS NOT NULL")
    )
    op.drop_constraint(op.f("ck_jobs_has_recording"), "jobs", type_="check")
    op.create_check_constraint(op.f("ck_jobs_has_recording"), "jobs", f"{HAS_RECORDING} OR mode = 'streaming'")
    op.add_column("projects", sa.Column("max_streams", sa.Integer(), nullable=True))
    op.create_table(
        "stream_sessions",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("rate_hz", sa.Integer(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("restart_byte", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("restart_sample", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("header", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        sa.Column("cursor_sample", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_finals", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_stream_sessions_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_stream_sessions")),
    )
    op.create_table(
        "job_segments",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("segment", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("speech_final", sa.Boolean(), nullable=False),
        sa.Column("alternatives", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_segments_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_job_segments")),
    )
    op.create_table(
        "stream_sounds",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("start_sample", sa.BigInteger(), nullable=False),
        sa.Column("pcm", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_stream_sounds_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "start_sample", name=op.f("pk_stream_sounds")),
    )


def downgrade() -> None:
    op.drop_table("stream_sounds")
    op.drop_table("job_segments")
    op.drop_table("stream_sessions")
    op.drop_column("projects", "max_streams")
    # A live job that has not ended has no place in the older schema.
    op.execute("DELETE FROM jobs WHERE mode = 'streaming' AND finished_at IS NULL")
    op.drop_constraint(op.f("ck_jobs_has_recording"), "jobs", type_="check")
    op.create_check_constraint(op.f("ck_jobs_has_recording"), "jobs", HAS_RECORDING)
    op.drop_index("ix_jobs_source_id", table_name="jobs", postgresql_where=sa.text("source_id IS NOT NULL"))
    op.drop_constraint(op.f("fk_jobs_source_id_jobs"), "jobs", type_="foreignkey")
    op.drop_column("jobs", "source_id")
