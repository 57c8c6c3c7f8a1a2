"""The screen that renews itself; imported only where there is a terminal."""

import time
from collections.abc import Callable

from rich.box import SIMPLE
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.cli.overview import Section, headline, sections
from app.embedded.stopping import stop_signals
from app.services.operations.snapshot import Snapshot

EVERY_S = 2.0


def show_live(first: Snapshot, look: Callable[[], Snapshot]) -> None:
    """Show `first`, then what `look` gives, until a signal; the terminal is left as it was."""
    try:
        with stop_signals(), Live(screen_of(first), screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(EVERY_S)
                live.update(screen_of(look()), refresh=True)
    except KeyboardInterrupt:
        return


def screen_of(snapshot: Snapshot) -> Group:
    """All of a snapshot, for a terminal."""
    shown = f"{snapshot.at.astimezone():%H:%M:%S}   {headline(snapshot)}   (Ctrl-C ends it)"
    return Group(Text(shown), *(_table(section) for section in sections(snapshot)))


def _table(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left", box=SIMPLE)
    for name in section.columns:
        table.add_column(name, overflow="fold")
    for row in section.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
