"""Several hosts on one machine: network namespaces at a bridge, for tests and measurements of
trainings on MPI over TCP. Needs root and Linux."""

import contextlib
import os
import pathlib
import subprocess

SWITCH = "tallynet-switch"


class Hosts:
    """Hosts that share no memory, each with one address."""

    def __init__(self, count, scratch):
        self.names = [f"tallynet-{number}" for number in range(count)]
        self.addresses = [f"10.213.7.{number + 1}" for number in range(count)]
        # mpirun starts the ranks of the other hosts by this program, in the place of ssh.
        self.agent = pathlib.Path(scratch) / "agent"
        cases = [f"{address}) name={name};;" for address, name in zip(self.addresses, self.names)]
        # Each host has its own place for temporary files, as machines do.
        self.agent.write_text(f"#!/bin/sh\ncase $1 in {' '.join(cases)} esac\nshift\n"
                              f"export TMPDIR={scratch}/$name\nmkdir -p $TMPDIR\n"
                              "exec ip netns exec $name sh -c \"$*\"\n")
        self.agent.chmod(0o755)
        ip("netns", "add", SWITCH)
        ip("-n", SWITCH, "link", "add", "bridge", "type", "bridge")
        ip("-n", SWITCH, "link", "set", "bridge", "up")
        for name, address in zip(self.names, self.addresses):
            ip("netns", "add", name)
            ip("link", "add", "cable", "netns", name, "type", "veth",
               "peer", "name", name, "netns", SWITCH)
            ip("-n", SWITCH, "link", "set", name, "master", "bridge", "up")
            ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
            ip("-n", name, "link", "set", "lo", "up")

    @classmethod
    @contextlib.contextmanager
    def on_this_machine(cls, count, scratch):
        """The hosts, or `None` where the system does not allow them."""
        hosts = None
        try:
            if hasattr(os, "geteuid") and os.geteuid() == 0:
                hosts = cls(count, scratch)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"  hosts: left out, no network namespaces here ({error})")
        try:
            yield hosts
        finally:
            for name in [SWITCH, *(f"tallynet-{number}" for number in range(count))]:
                subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def mpirun(self):
        """The command that starts a rank on each host."""
        parameters = {"plm_rsh_agent": self.agent, "btl": "tcp,self", "pml": "ob1",
                      "btl_tcp_if_include": "cable", "oob_tcp_if_include": "cable",
                      "mpi_yield_when_idle": "1"}
        command = ["ip", "netns", "exec", self.names[0], "mpirun", "--allow-run-as-root",
                   "-n", str(len(self.names)), "--bind-to", "none",
                   "--host", ",".join(f"{address}:1" for address in self.addresses)]
        for name, value in parameters.items():
            command += ["--mca", name, str(value)]
        return command

    def sent(self):
        """Bytes that each host has sent."""
        counter = "/sys/class/net/cable/statistics/tx_bytes"
        return [int(run(["ip", "netns", "exec", name, "cat", counter])) for name in self.names]

    def limit(self, rate):
        """Limits what a host sends to a rate such as `1gbit`."""
        for name in self.names:
            run(["tc", "-n", name, "qdisc", "replace", "dev", "cable", "root", "tbf",
                 "rate", rate, "burst", "256kb", "latency", "50ms"])


def ip(*arguments):
    run(["ip", *arguments])


def run(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
