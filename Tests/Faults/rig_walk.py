"""The tool `rig` as a program: its words, its exit codes, its relay from outside, and what its processes leave behind."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading

from harness import HOST, RIG, Checks, Gateway


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(RIG), *words], capture_output=True, text=True, timeout=30, check=False)


def words(checks: Checks) -> None:
    for asked in (["--help"], ["gateway", "--help"], ["relay", "--help"], ["relay", "cut", "-h"], ["--version"], ["gateway", "--version"]):
        answer = run(*asked)
        checks.that(f"{asked} answers", answer.returncode == 0 and answer.stdout and not answer.stderr, answer)
    for asked in (
        [], ["fly"], ["gateway", "--prot", "1"], ["gateway", "--port"], ["gateway", "--port", "70000"], ["gateway", "--port", "x"],
        ["gateway", "--seed", "-1"], ["gateway", "--fault", "rain"], ["gateway", "--hours", "late"], ["gateway", "--account", "du 1"],
        ["gateway", "--account", "DU1", "--fault", "live-account"], ["gateway", "--bars", "/no/such/file"], ["gateway", "--seed", "1", "--seed", "2"],
        ["gateway", "extra"], ["relay"], ["relay", "--listen", "127.0.0.1:0"], ["relay", "--listen", "here", "--to", "127.0.0.1:1"],
        ["relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:99999"], ["relay", "snip"], ["relay", "cut"],
    ):
        answer = run(*asked)
        sentence = answer.stderr.startswith("rig: ") and answer.stderr.count("\n") == 1
        checks.that(f"{asked} is refused in one sentence", answer.returncode == 2 and sentence and not answer.stdout, answer)


def a_port_and_a_folder_have_one_owner(checks: Checks) -> None:
    with Gateway(data=True) as gateway:
        taken = run("gateway", "--port", str(gateway.port))
        checks.that("the port is taken", taken.returncode == 1 and f"port {gateway.port}" in taken.stderr, taken)
        assert gateway.folder and gateway.process
        busy = run("gateway", "--data", gateway.folder.name)
        checks.that("the folder is taken, and by whom", busy.returncode == 1 and f"process {gateway.process.pid}" in busy.stderr, busy)
        gateway.kill()
        other = run("gateway", "--data", gateway.folder.name, "--account", "DU7")
        checks.that("the folder is another account's", other.returncode == 2 and "DU1234567" in other.stderr, other)
        mode = pathlib.Path(gateway.folder.name, "gateway.journal").stat().st_mode & 0o777
        checks.equal("the journal is its user's alone", mode, 0o600)


class Echo:
    """Sends everything back, until closed."""

    def __init__(self) -> None:
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer: socket.socket) -> None:
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(data)
            except OSError:
                return


class Relay:
    """A running `rig relay` of two routes."""

    def __init__(self, folder: str):
        self.echoes = [Echo(), Echo()]
        self.control = str(pathlib.Path(folder, "relay.control"))
        routes = [word for echo in self.echoes for word in ("--listen", f"{HOST}:0", "--to", f"{HOST}:{echo.port}")]
        self.process = subprocess.Popen([str(RIG), "relay", "--json", "--control", self.control, *routes], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        lines = [json.loads(self.process.stdout.readline()) for _ in self.echoes]
        self.ports = [int(line["listening"].rsplit(":", 1)[1]) for line in lines]

    def ask(self, verb: str) -> subprocess.CompletedProcess[str]:
        return run("relay", verb, "--control", self.control, "--json")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        for echo in self.echoes:
            echo.listener.close()
        return code


def exchange(port: int, data: bytes) -> socket.socket:
    peer = socket.create_connection((HOST, port), timeout=10)
    peer.sendall(data)
    got = b""
    while len(got) < len(data) and (more := peer.recv(65536)):
        got += more
    if got != data:
        raise RuntimeError(f"sent {len(data)} bytes, got {len(got)}")
    return peer


def the_relay_is_cut_and_mended_from_outside(checks: Checks) -> None:
    with tempfile.TemporaryDirectory(prefix="tidewire-relay-") as folder:
        relay = Relay(folder)
        peers = [exchange(port, os.urandom(100_000)) for port in relay.ports]
        status = json.loads(relay.ask("status").stdout)
        checks.that("both routes carry", (status["cut"], status["connections"]) == (False, 2) and status["bytes_forth"] == 200_000, status)
        checks.equal("the control file is its user's alone", pathlib.Path(relay.control).stat().st_mode & 0o777, 0o600)
        checks.equal("cut", json.loads(relay.ask("cut").stdout)["cut"], True)
        for peer in peers:
            try:
                ended = peer.recv(1) == b""
            except ConnectionError:
                ended = True
            checks.that("connections are dropped", ended)
            peer.close()
        for port in relay.ports:
            try:
                socket.create_connection((HOST, port), timeout=5).close()
                checks.that("new ones are refused", False)
            except ConnectionRefusedError:
                checks.that("new ones are refused", True)
        checks.equal("mended", json.loads(relay.ask("mend").stdout)["cut"], False)
        for port in relay.ports:
            exchange(port, b"again").close()
        port, _ = pathlib.Path(relay.control).read_text(encoding="ascii").split()
        with socket.create_connection((HOST, int(port)), timeout=10) as stranger:
            stranger.sendall(b"guess cut\n")
            checks.that("a stranger is not obeyed", b"error" in stranger.recv(1000))
        checks.equal("still whole", json.loads(relay.ask("status").stdout)["cut"], False)
        checks.equal("it ends politely", relay.end(signal.SIGTERM), 0)
        checks.equal("and leaves nothing", os.listdir(folder), [])


def a_dead_relay_is_said_to_be_dead(checks: Checks) -> None:
    with tempfile.TemporaryDirectory(prefix="tidewire-relay-") as folder:
        relay = Relay(folder)
        relay.end(signal.SIGKILL)
        answer = relay.ask("cut")
        checks.that("not reachable", answer.returncode == 4 and answer.stderr.count("\n") == 1, answer)
        again = Relay(folder)
        checks.equal("the next one takes the file over", again.ask("status").returncode, 0)
        again.end(signal.SIGTERM)
        checks.equal("no relay", again.ask("status").returncode, 4)


def main() -> None:
    checks = Checks("rig")
    for step in (words, a_port_and_a_folder_have_one_owner, the_relay_is_cut_and_mended_from_outside, a_dead_relay_is_said_to_be_dead):
        checks.step(step)
    checks.finish()


if __name__ == "__main__":
    main()
