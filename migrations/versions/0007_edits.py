"""What people see and correct: outlines of recordings, and edited texts beside the machine's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_transcripts", sa.Column("edits", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_table(
        "job_peaks",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("bucket_s", sa.Float(), nullable=False),
        sa.Column("pairs", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_peaks_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_peaks")),
    )


def downgrade() -> None:
    op.drop_table("job_peaks")
    op.drop_column("job_transcripts", "edits")
