"""What an operator looks at: when a run last beat, and what went wrong lately."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_job_errors_at"), "job_errors", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_job_errors_at"), table_name="job_errors")
    op.drop_column("jobs", "beat_at")
