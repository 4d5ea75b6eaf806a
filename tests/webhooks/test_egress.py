"""A webhook leads to addresses that everybody can reach and to hosts that the settings name, and nowhere else."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headwater_server.errors import Invalid
from headwater_server.webhooks.addresses import Opened, is_public
from headwater_server.webhooks.egress import MOST, Egress
from tests.webhooks.receiver import Receiver

PUBLIC = "93.184.215.14"
INSIDE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001:0:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1",
    "2001:db8::1", "no address",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_that_everybody_can_reach_is(address: str) -> None:
    assert is_public(address)


def test_hosts_are_opened_by_name_with_or_without_a_port() -> None:
    opened = Opened(["hooks.internal", "127.0.0.1:9000", "[::1]", "*.svc.local"])
    assert opened.has("hooks.internal", 443)
    assert opened.has("127.0.0.1", 9000)
    assert opened.has("::1", 80)
    assert opened.has("a.b.svc.local", 443)
    for host, port in (
        ("127.0.0.1", 9001),
        ("svc.local", 443),
        ("xhooks.internal", 443),
        ("127.0.0.2", 9000),
    ):
        assert not opened.has(host, port)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "cannot be empty"),
        ("hooks.example", "scheme"),
        ("http://hooks.example/", "Allowed schemes are: https"),
        ("file:///etc/passwd", "scheme"),
        ("https:///path", "hostname"),
        ("https://user:pass@hooks.example/", "no user and no password"),
        ("https://user@hooks.example/", "no user and no password"),
        ("https://hooks.example/a b", "ASCII without spaces"),
        ("https://hooks.example/\r\nX-A: b", "ASCII without spaces"),
        ("https://hööks.example/", "ASCII"),
        ("https://hooks.example:99999/", "Invalid webhook URL"),
        ("https://[::1/", "Invalid webhook URL"),
        ("https://hooks.example/" + "x" * 2_000, "at most 2000"),
        ("https://127.1/", "canonical"),
        ("https://0177.0.0.1/", "canonical"),
        ("https://2130706433/", "canonical"),
        ("https://0x7f000001/", "canonical"),
        ("https://127.0.0.1/", "non-public"),
        ("https://[::ffff:10.0.0.1]/", "non-public"),
        ("https://inside.example/", "resolves to 10.0.0.7"),
    ],
)
def test_an_address_that_leads_inside_is_refused(url: str, why: str) -> None:
    egress = Egress(resolve=lookup({"inside.example": [PUBLIC, "10.0.0.7"]}))
    with pytest.raises(Invalid, match=why):
        egress.check(url)
    assert egress.post(url, b"{}", {}).status == 0


def lookup(known: dict[str, list[str]]) -> "Lookup":
    return Lookup(known)


class Lookup:
    """Names, and which were asked for. What is a number stands for itself."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        self.known = known
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[tuple[str, int]]:
        self.asked.append(host)
        if host in self.known:
            return [(address, port) for address in self.known[host]]
        if host[0].isdigit() or ":" in host:
            return [(host, port)]
        raise OSError("Name or service not known")


def test_a_name_that_nobody_knows_yet_is_taken_and_looked_up_each_time() -> None:
    names = lookup({})
    egress = Egress(resolve=names)
    egress.check("https://soon.example/")
    assert "cannot be found" in egress.post("https://soon.example/", b"{}", {}).error
    assert names.asked == ["soon.example"] * 2


def test_a_name_that_leads_inside_later_is_refused_at_the_delivery() -> None:
    names = lookup({"rebound.example": [PUBLIC]})
    egress = Egress(resolve=names)
    egress.check("https://rebound.example/")
    names.known["rebound.example"] = ["127.0.0.1"]
    assert "non-public IP address" in egress.post("https://rebound.example/", b"{}", {}).error
    assert names.asked == ["rebound.example"] * 2  # once for each: what was looked at is what is connected to


def test_the_address_that_was_looked_at_is_connected_to_under_the_name(receiver: Receiver) -> None:
    names = lookup({"hooks.internal": ["127.0.0.1"]})
    egress = Egress(["hooks.internal"], resolve=names)
    answer = egress.post(f"http://hooks.internal:{receiver.port}/a?b=c", b"{}", {"X-A": "b"})
    came = receiver.next()
    assert (answer.status, answer.text, answer.taken) == (200, "thanks", True)
    assert (came.path, came.headers["Host"], came.headers["X-A"]) == (
        "/a?b=c", f"hooks.internal:{receiver.port}", "b",
    )  # fmt: skip
    assert names.asked == ["hooks.internal"]


def test_where_an_answer_leads_is_not_followed(receiver: Receiver) -> None:
    egress = Egress(["127.0.0.1"])
    receiver.will_answer(307, headers={"Location": receiver.url + "/other"})
    answer = egress.post(receiver.url, b"{}", {})
    assert (answer.status, answer.taken) == (307, False)
    receiver.next()
    assert receiver.came.empty()


def test_of_an_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.will_answer(200, body=b"x" * (10 * MOST))
    assert len(Egress(["127.0.0.1"]).post(receiver.url, b"{}", {}).text) == MOST


def test_a_receiver_that_does_not_answer_is_left(receiver: Receiver) -> None:
    receiver.open.clear()
    answer = Egress(["127.0.0.1"], timeout=0.2).post(receiver.url, b"{}", {})
    assert (answer.status, answer.error) == (0, "127.0.0.1 did not answer within 0.2 seconds")


def test_a_receiver_that_answers_a_byte_at_a_time_is_left() -> None:
    with raw_server() as (port, ended):
        answer = Egress(["127.0.0.1"], timeout=0.3).post(f"http://127.0.0.1:{port}/", b"{}", {})
        assert "did not answer within 0.3 seconds" in answer.error
        assert ended.wait(30)


@contextmanager
def raw_server() -> Iterator[tuple[int, threading.Event]]:
    """Sends a header without an end, a byte now and then, until the other side goes."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while not ended.wait(0.02):
                        connection.sendall(b"x")
                except OSError:
                    ended.set()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], ended
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize(
    ("name", "trusted", "error"),
    [
        ("hooks.internal", True, ""),
        ("hooks.internal", False, "CERTIFICATE_VERIFY_FAILED"),
        ("other.internal", True, "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_the_certificate_is_the_names_by_somebody_who_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool, error: str
) -> None:
    file = certificate(tmp_path, name)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with tls_server(file) as port:
        egress = Egress(["hooks.internal"], resolve=lookup({"hooks.internal": ["127.0.0.1"]}))
        answer = egress.post(f"https://hooks.internal:{port}/", b"{}", {})
    assert answer.taken is not bool(error)
    assert error in answer.error


@contextmanager
def tls_server(certified: Path) -> Iterator[int]:
    """Answers one request with 200."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as sock:
                came = b""
                while not came.endswith(b"{}") and (more := sock.recv(2**16)):
                    came += more
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
