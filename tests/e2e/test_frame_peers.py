"""Codecs by name against the programs whose protocols they are."""

import crcmod.predefined
import pytest
from frame_peer import free_port

MODBUS_SERVER = """
import sys
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartTcpServer
registers = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, [0x2B00 + i for i in range(200)]))
StartTcpServer(context=ModbusServerContext(slaves=registers, single=True), address=("127.0.0.1", int(sys.argv[1])))
"""


def ask(netkit, address, codec, body):
    """The body of the answer. The server may still be starting."""
    done = netkit.run("frame", "connect", address, "--codec", codec, "--raw", "--reconnect", "50", "--reconnect-max", "100ms",
                      "--send", "raw:hex:" + body)
    assert done.status == 0, done.err
    return done.out.hex()


def test_mosquitto_answers_connect_with_connack(netkit, tmp_path):
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    netkit.start(argv=["mosquitto", "-c", config])
    # The lengths are filled in.
    assert ask(netkit, f"127.0.0.1:{port}", "mqtt", "1000" "00044d5154540402003c" "0000") == "20020000"


@pytest.fixture
def modbus(netkit):
    port = free_port()
    netkit.start(argv=["/usr/bin/python3", "-c", MODBUS_SERVER, port])
    return f"127.0.0.1:{port}"


def test_pymodbus_reads_holding_registers(netkit, modbus):
    # Three registers from 107 on.
    answer = ask(netkit, modbus, "modbus-tcp", "000700000000" "1103" "006b0003")
    assert answer == "0007" "0000" "0009" "1103" "06" "2b6c2b6d2b6e"


def test_redis_answers_lines(netkit, tmp_path):
    port = free_port()
    netkit.start(argv=["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path])
    for codec in ("line", "crlf", "delim=0d0a"):
        assert bytes.fromhex(ask(netkit, f"127.0.0.1:{port}", codec, b"PING".hex())) == b"+PONG"


def test_what_ppp_sends_is_hdlc(netkit):
    """LCP's Configure-Request as RFC 1662 frames it, with its check value from Python."""
    packet = bytes.fromhex("ff03c021" "01010014" "0206000a0000" "05067d7e1112" "07020802")
    check = crcmod.predefined.mkPredefinedCrcFun("x-25")(packet).to_bytes(2, "little")
    stuffed = b"".join(bytes([0x7D, byte ^ 0x20]) if byte in (0x7D, 0x7E) or byte < 0x20 else bytes([byte])
                       for byte in packet + check)
    done = netkit.run("frame", "decode", "--codec", "hdlc,check=crc16-x25:le", "--raw", stdin=b"\x7e" + stuffed + b"\x7e")
    assert (done.status, done.out) == (0, packet)
