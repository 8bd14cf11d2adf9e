"""The checks of frames against another implementation of the CRCs, crcmod, with parameters of its own."""

import random

import crcmod
import crcmod.predefined
import pytest

BODIES = 100_000

# Our name by crcmod's.
NAMES = {
    "crc-8": "crc8", "crc-8-darc": "crc8-darc", "crc-8-i-code": "crc8-i-code", "crc-8-itu": "crc8-itu",
    "crc-8-maxim": "crc8-maxim", "crc-8-rohc": "crc8-rohc", "crc-8-wcdma": "crc8-wcdma", "crc-16": "crc16",
    "crc-16-buypass": "crc16-buypass", "crc-16-dds-110": "crc16-dds-110", "crc-16-dect": "crc16-dect-r",
    "crc-16-dnp": "crc16-dnp", "crc-16-en-13757": "crc16-en-13757", "crc-16-genibus": "crc16-genibus",
    "crc-16-maxim": "crc16-maxim", "crc-16-mcrf4xx": "crc16-mcrf4xx", "crc-16-riello": "crc16-riello",
    "crc-16-t10-dif": "crc16-t10-dif", "crc-16-teledisk": "crc16-teledisk", "crc-16-usb": "crc16-usb",
    "x-25": "crc16-x25", "xmodem": "crc16-xmodem", "modbus": "crc16-modbus", "kermit": "crc16-kermit",
    "crc-ccitt-false": "crc16-ccitt-false", "crc-aug-ccitt": "crc16-aug-ccitt", "crc-24": "crc24",
    "crc-24-flexray-a": "crc24-flexray-a", "crc-24-flexray-b": "crc24-flexray-b", "crc-32": "crc32",
    "crc-32-bzip2": "crc32-bzip2", "crc-32c": "crc32c", "crc-32d": "crc32d", "crc-32-mpeg": "crc32-mpeg-2",
    "posix": "crc32-posix", "crc-32q": "crc32q", "jamcrc": "crc32-jamcrc", "xfer": "crc32-xfer",
    "crc-64": "crc:64:1b:0:true:true:0", "crc-64-we": "crc64-we",
    "crc-64-jones": "crc:64:ad93d23594c935a9:ffffffffffffffff:true:true:0",
}


def encoded(netkit, codec, bodies):
    lines = b"".join(b"raw:hex:" + body.hex().encode() + b"\n" for body in bodies)
    done = netkit.run("frame", "encode", "--codec", codec, stdin=lines)
    assert (done.status, done.err) == (0, b"")
    return done.out


def decoded(netkit, codec, stream):
    done = netkit.run("frame", "decode", "--codec", codec, "--raw", stdin=stream)
    assert (done.status, done.err) == (0, b"")
    return done.out


def frames_of(stream):
    while stream:
        size = 2 + int.from_bytes(stream[:2], "big")
        yield stream[:size]
        stream = stream[size:]


def with_a_flipped_bit(rng, frame):
    """Anywhere behind the length."""
    bit = rng.randrange(16, len(frame) * 8)
    return frame[:bit // 8] + bytes([frame[bit // 8] ^ 1 << bit % 8]) + frame[bit // 8 + 1:]


def check_against(netkit, check, width, crc, count):
    rng = random.Random(check)
    bodies = [rng.randbytes(rng.randrange(64)) for _ in range(count)]
    codec = "u16,check=" + check
    stream = encoded(netkit, codec, bodies)
    frames = list(frames_of(stream))
    size = width // 8
    assert [frame[2:-size] for frame in frames] == bodies
    assert [int.from_bytes(frame[-size:], "big") for frame in frames] == [crc(body) for body in bodies]
    assert decoded(netkit, codec, stream) == b"".join(bodies)
    assert decoded(netkit, codec, b"".join(with_a_flipped_bit(rng, frame) for frame in frames)) == b""


def test_every_crc_that_crcmod_knows(netkit):
    definitions = crcmod.predefined._crc_definitions  # pylint: disable=protected-access
    assert {definition["name"] for definition in definitions} == set(NAMES)
    for definition in definitions:
        name = definition["name"]
        check_against(netkit, NAMES[name], definition["poly"].bit_length() - 1,
                      crcmod.predefined.mkPredefinedCrcFun(name), BODIES // (2 * len(NAMES)) + 1)


@pytest.mark.parametrize("width", [8, 16, 24, 32, 64])
def test_crcs_by_parameters_that_nobody_named(netkit, width):
    rng = random.Random(width)
    for reflected in (False, True):
        for _ in range(2):
            poly, init, xor_out = (rng.getrandbits(width) for _ in range(3))
            poly |= 1
            crc = crcmod.mkCrcFun(1 << width | poly, initCrc=init ^ xor_out, rev=reflected, xorOut=xor_out)
            # crcmod takes the register as it lies, which for a reflected CRC is the other way round.
            if reflected:
                init = int(f"{init:0{width}b}"[::-1], 2)
            flag = "true" if reflected else "false"
            check = f"crc:{width}:{poly:x}:{init:x}:{flag}:{flag}:{xor_out:x}"
            check_against(netkit, check, width, crc, BODIES // 40 + 1)


def test_other_orders_and_ranges(netkit):
    crc = crcmod.predefined.mkPredefinedCrcFun("modbus")
    assert encoded(netkit, "u8,check=crc16-modbus:le", [b"ab"]) == b"\x04ab" + crc(b"ab").to_bytes(2, "little")
    assert encoded(netkit, "u8,check=crc16-modbus@0..", [b"ab"]) == b"\x04ab" + crc(b"\x04ab").to_bytes(2, "big")
    assert encoded(netkit, "slip,check=crc16-modbus@1..-2", [b"ab"]) == b"\xc0ab" + crc(b"b").to_bytes(2, "big") + b"\xc0"


def test_the_check_of_a_frame_is_no_part_of_what_is_printed(netkit):
    sentence = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
    wrong = sentence.replace(b"*47", b"*48")
    assert decoded(netkit, "nmea", b"noise" + sentence + wrong + sentence) == 2 * sentence[:-5]
