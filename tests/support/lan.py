"""Hosts on networks of their own, made of namespaces and bridges; nothing leaks, nothing collides.

Needs root. Each host is a network namespace that lives as long as the process that holds it."""

import os
import subprocess

from netkit import netkit_path


def _run(*args, pid=None):
    enter = ["nsenter", "-t", str(pid), "-n"] if pid else []
    subprocess.run([*enter, *args], check=True, capture_output=True, timeout=20)


class Lan:
    """`Lan(netkit).host("a", "10.1.0.1/24", "10.2.0.1/24")`: a host with an interface on each of these networks (the
    networks are told apart by their third number and joined by bridges); its interfaces are n1, n2, ..."""

    def __init__(self, netkit):
        self.netkit = netkit
        self.holder = self._hold()
        self.bridges = set()
        self.hosts = {}

    def _hold(self):
        process = self.netkit.start(argv=["unshare", "-n", "sh", "-c", "echo ready; exec cat"])
        process.out.expect(rb"ready\n")
        return process

    def _bridge(self, network):
        if network not in self.bridges:
            _run("ip", "link", "add", network, "type", "bridge", "mcast_snooping", "0", pid=self.holder.pid)
            _run("ip", "link", "set", network, "up", pid=self.holder.pid)
            self.bridges.add(network)
        return network

    def host(self, name, *addresses):
        process = self._hold()
        self.hosts[name] = process
        _run("ip", "link", "set", "lo", "up", pid=process.pid)
        for number, address in enumerate(addresses, 1):
            bridge = self._bridge("br" + address.split(".")[2])
            outer = f"{name}{number}"
            _run("ip", "link", "add", outer, "type", "veth", "peer", "name", f"n{number}", "netns", str(process.pid),
                 pid=self.holder.pid)
            _run("ip", "link", "set", outer, "master", bridge, "up", pid=self.holder.pid)
            # No wait for duplicate address detection.
            _run("sysctl", "-qw", f"net.ipv6.conf.n{number}.accept_dad=0", pid=process.pid)
            _run("ip", "address", "add", address, "broadcast", "+", "dev", f"n{number}", pid=process.pid)
            _run("ip", "link", "set", f"n{number}", "up", pid=process.pid)
        return process

    def cable(self, one, address, other, other_address, delay_ms, loss=0):
        """Joins two hosts by an interface n1 on each, with delay either way; of what `one` sends, `loss` percent are
        lost. Takes hosts that have no n1 yet."""
        ends = [(one, address, other_address), (other, other_address, address)]
        devices = [str(part) for name, _, _ in ends for part in (self.hosts[name].pid, "n1")]
        cable = self.netkit.start(argv=[os.environ["NETKIT_BUILD"] + "/tests/cable", *devices, str(delay_ms), str(loss)])
        cable.out.expect(rb"ready\n")
        for name, own, peer in ends:
            pid = self.hosts[name].pid
            _run("ip", "link", "set", "n1", "up", "txqueuelen", "10000", pid=pid)
            _run("ip", "address", "add", own, "peer", peer, "dev", "n1", pid=pid)

    def ip(self, host, *args):
        """Runs `ip ARGS` on a host."""
        _run("ip", *args, pid=self.hosts[host].pid)

    def argv(self, host, *args):
        """The command line that runs netkit on a host."""
        return ["nsenter", "-t", str(self.hosts[host].pid), "-n", netkit_path(), *[str(a) for a in args]]

    def start(self, host, *args, **kwargs):
        return self.netkit.start(argv=self.argv(host, *args), **kwargs)

    def listen(self, host, *args):
        """Starts a server on a host and waits until it listens."""
        process = self.start(host, *args)
        process.err.expect(rb"listening on udp")
        return process

    def run(self, host, *args, **kwargs):
        return self.netkit.run(argv=self.argv(host, *args), **kwargs)


def three_hosts(netkit, network):
    """`a`, `b` and `c` in a network such as 10.92.1, as .1, .2 and .3."""
    lan = Lan(netkit)
    for number, host in enumerate("abc", 1):
        lan.host(host, f"{network}.{number}/24")
    return lan
