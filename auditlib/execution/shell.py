"""An IPython shell that collects what cells show, as a notebook's outputs."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat import v4
from traitlets import Type
from traitlets.config import Config

from auditlib.errors import AuditlibError

_new_output: Any = v4.new_output


class _Results(DisplayHook):
    """Takes the value of a cell's last expression."""

    shell: Any

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        output = _new_output("execute_result", format_dict, metadata=md_dict or {}, execution_count=self.prompt_count)
        self.shell.shown.append(output)


class _Displays(DisplayPublisher):
    """Takes what a cell displays on its way."""

    shell: Any

    def publish(self, data: Any, metadata: Any = None, *_: Any, **__: Any) -> None:
        self.shell.shown.append(_new_output("display_data", data, metadata=metadata or {}))


class Shell(InteractiveShell):
    """A shell without a terminal, a history on disk, or tracebacks: an error is a line that says what is wrong."""

    displayhook_class = Type(_Results)
    display_pub_class = Type(_Displays)

    def __init__(self, **options: Any) -> None:
        self.shown: list[Any] = []
        super().__init__(**options)  # type: ignore[no-untyped-call]

    @staticmethod
    def settings() -> Config:
        """Without a file for the history, and without colours in texts."""
        settings = Config()
        settings.HistoryManager.enabled = False
        settings.InteractiveShell.colors = "nocolor"
        return settings

    def outputs_of(self, source: str) -> tuple[list[Any], bool]:
        """Run a cell: its outputs, and whether it failed."""
        self.shown = []
        printed, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
            result = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        streams = [("stdout", printed.getvalue()), ("stderr", complained.getvalue())]
        outputs = [_new_output("stream", name=name, text=text) for name, text in streams if text]
        error = result.error_before_exec or result.error_in_exec
        return [*outputs, *self.shown, *([_error(error)] if error else [])], error is not None

    def enable_gui(self, gui: Any = None) -> None:
        """Pictures go into the notebook; there is no window to open."""

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Said by the error output instead."""

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Said by the error output instead."""


def _error(error: BaseException) -> Any:
    """The message of our own errors, which are made to be shown; of others the type alone: they may quote a file."""
    name = type(error).__name__
    said = str(error) if isinstance(error, AuditlibError) else ""
    return _new_output("error", ename=name, evalue=said, traceback=[f"{name}: {said}".rstrip(": ")])
