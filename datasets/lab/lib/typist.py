#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: runs a program on a pseudo-terminal and types into it.

Keys come one at a time with log-normal gaps (quick within a word, slower at its
edges), mistakes are corrected, and after each command the person reads what came
before going on. Ends with `exit` or the end-of-file key.
"""
import argparse
import fcntl
import math
import os
import pty
import random
import re
import select
import struct
import sys
import termios
import time

PROMPT = re.compile(rb"[\w-]+@server:[^\r\n]*[#$] (\x1b\[\S*)?$")

# None changes directory: any of them may come after any other.
# A trailing tab leaves the rest of the name to the shell; a list is a full-screen
# program and the keys pressed in it, each after a look at the screen.
COMMANDS = [
    "ls", "ls -la", "pwd", "df -h", "uname -a", "date", "uptime", "free -m", "id", "who",
    "cat notes-1.txt", "cat notes-2.txt", "tail notes-3.txt", "head -30 GPL\t", "wc -l *", "cat BS\t",
    "grep -n free GPL-2 | head", "ls /usr/bin | head -40", "ls -l /etc | tail -25", "env | sort | head",
    "find /etc -name '*.conf' | head -15", "ip route", "echo $SHELL", "ls -t /usr/share/doc | head", "cat /etc/debian_version",
    "for i in 1 2 3; do date; sleep 0.4; done", "du -sh /usr/share/doc", "sort notes-4.txt | uniq | head -20",
    ["less notes-6.txt", " ", " ", "b", "q"], ["less Apa\t", " ", "/grant\r", "q"], ["top -d 1", "", "", "q"],
]


class Terminal:
    def __init__(self, argv, rows, columns):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execvp(argv[0], argv)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen = b""
        self.open = True

    def read(self, seconds):
        """Takes in what comes for that long; true if anything came."""
        came, end = False, time.monotonic() + seconds
        while self.open and (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:  # the far end of the pty is closed
                    data = b""
                self.open = bool(data)
                self.seen = (self.seen + data)[-4096:]
                came = True
        return came

    def at_prompt(self, seconds):
        """Waits that long for the shell's prompt; also true if the far end is gone."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.open:
            self.read(0.1)
            if PROMPT.search(self.seen):
                return True
        return not self.open

    def wait_prompt(self):
        if not self.at_prompt(20):
            sys.exit("no prompt; last seen: %r" % self.seen[-200:])

    def key(self, text):
        self.seen = b""
        try:
            os.write(self.fd, text.encode())
        except OSError:
            self.open = False


class Person:
    def __init__(self, terminal, rng):
        self.terminal, self.rng = terminal, rng
        self.median = rng.uniform(0.085, 0.21)  # this person's seconds a key
        self.patience = rng.uniform(0.5, 1.5)

    def pause(self, median, sigma):
        self.terminal.read(self.rng.lognormvariate(math.log(median), sigma))

    def type(self, text):
        for position, char in enumerate(text):
            edge = char in " |/-'\t" or position and text[position - 1] in " |/"
            self.pause(self.median * (1.6 if edge else 1.0), 0.4)
            if char.isalpha() and self.rng.random() < 0.025:
                self.terminal.key(self.rng.choice("aeiourstn"))
                self.pause(self.median * 2.2, 0.3)
                self.terminal.key("\x7f")
                self.pause(self.median * 1.2, 0.3)
            self.terminal.key(char)
        self.pause(self.median * 1.8, 0.4)

    def run(self, command):
        keys = []
        if isinstance(command, list):
            command, *keys = command
        self.type(command)
        self.terminal.key("\r")
        for key in keys:
            self.pause(self.patience, 0.4)
            for char in key:
                self.terminal.key(char)
                if len(key) > 1:
                    self.pause(self.median, 0.3)
        # A key pressed before the program was ready for it is lost: press again.
        for _ in range(3 if keys else 0):
            if self.terminal.at_prompt(3):
                break
            self.terminal.key(keys[-1])
        self.terminal.wait_prompt()
        self.pause(self.patience, 0.6)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--keys", type=int, nargs=2, default=(30, 65), help="about how many keys, from and to")
    parser.add_argument("program", nargs="+")
    args = parser.parse_args()

    rng = random.Random(args.seed)
    terminal = Terminal(args.program, *rng.choice(((24, 80), (30, 100), (40, 120))))
    terminal.wait_prompt()
    person = Person(terminal, rng)
    person.pause(person.patience, 0.4)
    budget = rng.randint(*args.keys)
    last = None
    while budget > 0:
        command = rng.choice(COMMANDS)
        # Now and then the last command again, from the history.
        if last is not None and rng.random() < 0.12:
            command = ["\x10", *last[1:]] if isinstance(last, list) else "\x10"
        person.run(command)
        last = command
        budget -= len(command if isinstance(command, str) else command[0]) + 1
    if rng.random() < 0.7:
        person.type("exit")
        terminal.key("\r")
    else:
        person.type("\x04")
    while terminal.open:
        terminal.read(1)
    # The shell's last status is that of whatever was typed last, no verdict on the
    # session; 255 is ssh's own, for a connection that failed.
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == 255)


main()
