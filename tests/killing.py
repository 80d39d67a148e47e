"""Kill the projection between any two steps that change the disk."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from davhost.blobs import folders, local, pending
from davhost.projection import control, descriptors, disk, run

#: What changes the disk.
_STEPS = ("rename", "link", "mkdir", "unlink", "rmdir", "fchmod")


class Killed(BaseException):
    """The process ends here: nothing below may catch it."""


class _Os:
    """The module `os`, that ends before its step number *last*."""

    def __init__(self, last: int) -> None:
        self._left = last
        self.path = os.path

    def __getattr__(self, name: str) -> Any:
        function = getattr(os, name)
        return self._counted(function) if name in _STEPS else function

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if self._left == 0:
                raise Killed
            self._left -= 1
            return function(*arguments, **options)

        return step


@contextmanager
def killed_after(steps: int) -> Iterator[list[bool]]:
    """End the projection after so many steps.

    Yields:
        A list that holds True afterwards if it came to that.
    """
    happened: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        fake = _Os(steps)
        for module in (control, descriptors, disk, run, local, folders, pending):
            patch.setattr(module, "os", fake)
        try:
            yield happened
        except Killed:
            happened.append(True)
