"""netkit frame with the programs that people speak such protocols by: PostgreSQL, pymodbus, ser2net, dnsmasq."""

import glob
import os
import shutil
import struct
import tempfile

import pytest

from frame_peer import free_port
from netkit import udp_socket, wait_until

PG = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []


@pytest.fixture
def postgres(netkit):
    """A server of its own, which does not run as root; the port."""
    folder = tempfile.mkdtemp(prefix="netkit-pg-")
    if AS_NOBODY:
        os.chown(folder, NOBODY, NOBODY)
    try:
        made = netkit.run(argv=[*AS_NOBODY, f"{PG}/initdb", "-D", f"{folder}/data", "-U", "ann", "-A", "trust", "--no-sync",
                                "--no-locale", "-E", "UTF8"], cwd=folder, deadline=60)
        assert made.status == 0, made.err
        port = free_port()
        server = netkit.start(argv=[*AS_NOBODY, f"{PG}/postgres", "-D", f"{folder}/data", "-p", port, "-k", folder, "-c",
                                    "listen_addresses=127.0.0.1", "-c", "fsync=off"], cwd=folder)
        server.err.expect(rb"ready to accept connections")
        yield port
        server.stop()
    finally:
        shutil.rmtree(folder)


def start_up(user):
    return "hex:" + (struct.pack(">II", 0, 196608) + b"user\0" + user + b"\0database\0postgres\0\0").hex()


def test_postgresql_from_the_start_to_a_query_and_to_an_error(netkit, postgres):
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", f"127.0.0.1:{postgres}", "--codec", "postgres", "--hex")
    # The lengths are filled in; the first message has no type.
    done = netkit.run("frame", "connect", proxy.address, "--codec", "postgres", "--hex", "--expect", "/^Z/", "--send",
                      start_up(b"ann"))
    assert done.status == 0 and done.lines[0] == "520000000800000000", "authenticated"
    assert proxy.out.line().split(b" > ")[1].startswith(b"0000002400030000")
    done = netkit.run("frame", "connect", proxy.address, "--codec", "postgres", "--expect", "/^E.*FATAL/", "--send",
                      start_up(b"bob"))
    assert done.status == 0 and 'role "bob" does not exist' in done.out.decode()
    done = netkit.run("frame", "connect", proxy.address, "--codec", "postgres", "--hex", "--expect", "/^D.*forty-two/", "--send",
                      start_up(b"ann"), "--send", "hex:" + (b"Q\0\0\0\0select 'forty-two'\0").hex())
    assert done.status == 0, done


# What pymodbus says by itself is not wanted.
PYMODBUS_SERVER = """
import sys
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartSerialServer
try:
    from pymodbus import FramerType
    rtu = FramerType.RTU
except ImportError:  # older ones
    from pymodbus.framer.rtu_framer import ModbusRtuFramer as rtu
registers = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, [0x2B00 + i for i in range(200)]))
StartSerialServer(context=ModbusServerContext(slaves=registers, single=True), framer=rtu, port=sys.argv[1],
                  baudrate=19200)
"""
PYMODBUS_CLIENT = """
import sys
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
where = sys.argv[1]
if ":" in where:
    host, port = where.split(":")
    client = ModbusTcpClient(host, port=int(port), timeout=10)
else:
    client = ModbusSerialClient(port=where, baudrate=19200, timeout=10)
assert client.connect()
for count in (1, 2):
    print(client.read_holding_registers(7, count=count, slave=17).registers, flush=True)
"""


@pytest.fixture
def ends(netkit, tmp_path):
    """The two ends of a serial line."""
    names = [str(tmp_path / "one"), str(tmp_path / "two")]
    netkit.start(argv=["socat", *(f"pty,raw,echo=0,link={name}" for name in names)])
    wait_until(lambda: all(os.path.exists(name) for name in names))
    return names


def test_a_client_asks_pymodbus_over_a_serial_line(netkit, ends):
    netkit.start(argv=["/usr/bin/python3", "-c", PYMODBUS_SERVER, ends[0]])
    # The server may still be starting, so that a request gets lost.
    done = netkit.run("frame", "connect", f"serial:{ends[1]},19200", "--codec", "modbus-rtu", "--hex", "--every", "300ms",
                      "--send", "hex:1103006b0003", "--expect", "hex:1103062b6c2b6d2b6e", "--within", "15s")
    assert done.status == 0, done
    assert done.lines[-1] == "1103062b6c2b6d2b6e"


def test_pymodbus_asks_a_simulator_over_a_serial_line(netkit, ends):
    server = netkit.start("frame", "serve", f"serial:{ends[0]},19200", "--codec", "modbus-rtu", "--hex",
                          "--rule", "hex:1103????0001 => hex:110302002a", "--rule", "hex:1103????0002 => hex:1103040001{2}00")
    server.err.expect(rb"listening on serial")
    done = netkit.run(argv=["/usr/bin/python3", "-c", PYMODBUS_CLIENT, ends[1]])
    assert (done.status, done.lines) == (0, ["[42]", "[1, 1792]"])
    server.out.expect(rb"serial 110300070001\nserial 110300070002\n")


def test_pymodbus_asks_a_simulator_over_tcp(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "modbus-tcp",
                          "--rule", r"/^(..)\x00\x00..\x11\x03..\x00(.)$/ => {1}\0\0\0\0\x11\x03\x04\0\x01\0{2}")
    done = netkit.run(argv=["/usr/bin/python3", "-c", PYMODBUS_CLIENT.replace("(1, 2)", "(2,)"), server.address])
    assert (done.status, done.lines) == (0, ["[1, 2]"]), done


def test_a_gateway_from_tcp_to_pymodbus(netkit, ends):
    netkit.start(argv=["/usr/bin/python3", "-c", PYMODBUS_SERVER, ends[0]])
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", f"serial:{ends[1]},19200", "--codec", "modbus-rtu", "--hex")
    done = netkit.run("frame", "connect", proxy.address, "--codec", "modbus-rtu", "--every", "300ms",
                      "--send", "hex:1103006b0001", "--expect", "hex:1103022b6c", "--within", "15s")
    assert done.status == 0, done
    proxy.out.expect(rb" > 1103006b0001\n.* < 1103022b6c\n")


def test_ser2net_between_a_client_and_a_line(netkit, ends, tmp_path):
    port = free_port()
    config = tmp_path / "ser2net.yaml"
    config.write_text(f"connection: &c\n  accepter: tcp,127.0.0.1,{port}\n  connector: serialdev,{ends[0]},9600n81,local\n")
    netkit.start(argv=["ser2net", "-n", "-u", "-P", tmp_path / "pid", "-c", config])
    device = netkit.start("frame", "serve", f"serial:{ends[1]},9600", "--codec", "line,check=xor8", "--rule", "ID? => X1")
    device.err.expect(rb"listening on serial")
    done = netkit.run("frame", "connect", f"127.0.0.1:{port}", "--codec", "line,check=xor8", "--reconnect", "50",
                      "--reconnect-max", "100ms", "--expect", "X1", "--send", "ID?")
    assert done.status == 0, done


def test_dnsmasq_by_datagrams(netkit):
    port = free_port()
    dns = netkit.start(argv=["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=",
                             "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}",
                             "--address=/name.test/192.0.2.7"])
    dns.err.expect(rb"started")
    query = "0007" "0100" "0001" "0000" "0000" "0000" + "046e616d650474657374" "00" "0001" "0001"
    done = netkit.run("frame", "connect", f"udp:127.0.0.1:{port}", "--codec", "dns", "--hex", "--send", "hex:" + query)
    assert done.status == 0 and done.lines[0].startswith("0007") and done.lines[0].endswith("c0000207")
    # The same from datagrams to its TCP.
    proxy = netkit.start("frame", "proxy", "udp:127.0.0.1:0", f"127.0.0.1:{port}", "--codec", "dns", "-q")
    address = proxy.err.expect(rb"listening on udp 127.0.0.1:(\d+)\n").group(1)
    sock = udp_socket()
    sock.sendto(bytes.fromhex(query), ("127.0.0.1", int(address)))
    assert sock.recv(1000).hex() == done.lines[0]
