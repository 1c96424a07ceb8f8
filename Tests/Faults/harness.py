"""What every walk needs: the gateway as a process that can be killed and starved, and a count of checks."""

import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

RIG = pathlib.Path(os.environ.get("RIG") or pathlib.Path(__file__).resolve().parents[2] / ".build/debug/rig")
HOST = "127.0.0.1"


def speed(own: int) -> str:
    """How fast the market of a walk runs: its own speed, or CLIENT_SPEED for all walks that have one."""
    given = os.environ.get("CLIENT_SPEED") or str(own)
    print(f"the market runs at speed {given}", flush=True)
    return given


class Gateway:
    """One `rig gateway`, started at once; `kill` and `start` play its deaths. The port stays the same through them."""

    def __init__(self, *options: str, data: bool = False, file_bytes: int | None = None):
        self.options = list(options)
        self.file_bytes = file_bytes
        self.folder = tempfile.TemporaryDirectory(prefix="tidewire-gateway-") if data else None
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        command = [str(RIG), "gateway", "--port", str(self.port), *self.options]
        if self.folder:
            command += ["--data", self.folder.name]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, preexec_fn=self.starve if self.file_bytes else None, restore_signals=not self.file_bytes)
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line.startswith("listening on "):
            raise RuntimeError(f"the gateway did not start: {line!r}")
        self.port = int(line.rsplit(":", 1)[1])

    def starve(self) -> None:
        """No file may grow beyond so many bytes: what a full disk is to a writer. The signal that goes with it is ignored, as Python does."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_bytes, self.file_bytes))

    def kill(self, number: int = signal.SIGKILL) -> tuple[int, float]:
        """Ends the process by a signal; its exit code and the seconds it took."""
        process, self.process = self.process, None
        if process is None:
            return 0, 0.0
        begin = time.monotonic()
        process.send_signal(number)
        code = process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()
        return code, time.monotonic() - begin

    def greets(self) -> bool:
        """True when it answers a client's first words."""
        try:
            with socket.create_connection((HOST, self.port), timeout=5) as probe:
                probe.sendall(b"API\0\0\0\0\x09v157..178")
                return bool(probe.recv(4))
        except OSError:
            return False

    def remembers(self, word: str) -> int:
        """How often a word stands in what it keeps on disk."""
        journal = pathlib.Path(self.folder.name if self.folder else "", "gateway.journal")
        return journal.read_text(encoding="utf-8").count(word)

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self.folder:
            self.folder.cleanup()


class Checks:
    """Counts what held and what did not, and says what did not."""

    def __init__(self, name: str):
        self.name, self.passed, self.failed = name, 0, 0

    def that(self, what: str, holds: object, *facts: object) -> bool:
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"failed: {self.name}: {what}{': ' if facts else ''}{', '.join(repr(fact) for fact in facts)}", flush=True)
        return bool(holds)

    def equal(self, what: str, got: object, wanted: object) -> bool:
        return self.that(what, got == wanted, got, wanted)

    def step(self, function, *arguments: object) -> None:
        """One step; an exception in it is one failure, and the next step goes on."""
        begin = time.monotonic()
        before = self.passed + self.failed
        for gateway in arguments:
            # A step that broke off may have left it dead.
            if isinstance(gateway, Gateway) and gateway.process is None:
                gateway.start()
        try:
            function(self, *arguments)
        except Exception:  # noqa: BLE001 - whatever a foreign client throws is a finding
            self.that(f"{function.__name__} ran to its end", False, traceback.format_exc())
        print(f"{self.name}: {function.__name__}: {self.passed + self.failed - before} checks in {time.monotonic() - begin:.1f} s", flush=True)

    async def astep(self, function) -> bool:
        """One step of a client that lives in an event loop; False when it broke off."""
        begin, before = time.monotonic(), self.passed + self.failed
        try:
            await function()
            return True
        except Exception:  # noqa: BLE001 - whatever a foreign client throws is a finding
            return self.that(f"{function.__name__} ran to its end", False, traceback.format_exc())
        finally:
            print(f"{self.name}: {function.__name__}: {self.passed + self.failed - before} checks in {time.monotonic() - begin:.1f} s", flush=True)

    def finish(self) -> None:
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
