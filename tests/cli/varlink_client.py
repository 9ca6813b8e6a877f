#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A varlink client that knows nothing of ioasidctl: it reads the interfaces that a service
describes, by the grammar of the interface definition language, and calls each method as described.

    varlink_client.py SOCKET

Prints a TAP line for each thing it finds; the caller numbers them.
"""
import json
import re
import socket
import sys

TOKEN = re.compile(r"""
    (?P<skip>[ \t\r\n]+|\#[^\n]*\n)
  | (?P<arrow>->)
  | (?P<array>\[\]) | (?P<dict>\[string\])
  | (?P<mark>[():,?])
  | (?P<interface>[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*)+)
  | (?P<name>[A-Za-z][A-Za-z0-9_]*)
""", re.VERBOSE)
PLAIN = {"bool": False, "int": 0, "float": 0.5, "string": "x", "object": {}}


class Interface:
    """Parses a definition; .methods: name -> (parameters, reply), each name -> type."""

    def __init__(self, text):
        self.tokens = list(self.scan(text))
        self.types, self.methods, self.errors = {}, {}, {}
        self.take("interface")
        self.name = self.take()
        while self.tokens:
            keyword, name = self.take(), self.take()
            assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name), name
            members = {"type": self.types, "method": self.methods, "error": self.errors}[keyword]
            assert name not in members, name
            members[name] = self.struct()
            if keyword == "method":
                self.take("->")
                members[name] = (members[name], self.struct())
        assert self.methods

    @staticmethod
    def scan(text):
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found, "no token: " + text[at:at + 20]
            at = found.end()
            if found.lastgroup != "skip":
                yield found.group()

    def take(self, wanted=None):
        token = self.tokens.pop(0)
        assert wanted in (None, token), f"{token} where {wanted} was expected"
        return token

    def struct(self):
        fields = {}
        self.take("(")
        while self.tokens[0] != ")":
            name = self.take()
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name) and name not in fields, name
            self.take(":")
            fields[name] = self.type()
            if self.tokens[0] != ")":
                self.take(",")
        self.take(")")
        return fields

    def type(self):
        prefix = ""
        while self.tokens[0] in ("?", "[]", "[string]"):
            prefix += self.take()
        if self.tokens[0] == "(":
            return prefix, self.struct()
        return prefix, self.take()

    def check_references(self):
        """Every type that is used is defined, and the other way round."""
        used = set()

        def visit(fields):
            for _, kind in fields.values():
                if isinstance(kind, dict):
                    visit(kind)
                elif kind not in PLAIN:
                    used.add(kind)

        for fields in [*self.types.values(), *self.errors.values()]:
            visit(fields)
        for parameters, reply in self.methods.values():
            visit(parameters)
            visit(reply)
        return used == set(self.types)

    def fits(self, fields, value):
        """Is the JSON object one of these fields, none missing and none besides?"""
        return (isinstance(value, dict) and set(value) <= set(fields) and
                all(self.fits_type(*kind, value.get(name)) for name, kind in fields.items()))

    def fits_type(self, prefix, kind, value):
        if prefix.startswith("?"):
            return value is None or self.fits_type(prefix[1:], kind, value)
        if prefix.startswith("[]"):
            return isinstance(value, list) and all(
                self.fits_type(prefix[2:], kind, item) for item in value)
        if isinstance(kind, dict):
            return self.fits(kind, value)
        if kind in self.types:
            return self.fits(self.types[kind], value)
        return type(value) is type(PLAIN[kind])


class Service:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rb")

    def call(self, method, parameters=None, **members):
        message = {"method": method, "parameters": parameters or {}, **members}
        self.socket.sendall(json.dumps(message).encode() + b"\0")
        return self.receive()

    def receive(self):
        reply = b""
        while not reply.endswith(b"\0"):
            byte = self.stream.read(1)
            assert byte, "the connection was closed"
            reply += byte
        return json.loads(reply[:-1])


def report(good, name):
    print("ok" if good else "not ok", "-", name)


def check_method(service, interfaces, interface, name):
    parameters, reply = interface.methods[name]
    full = f"{interface.name}.{name}"
    wrong = "org.varlink.service.InvalidParameter"
    known = {field: [PLAIN[kind]] if "[]" in prefix else PLAIN[kind]
             for field, (prefix, kind) in parameters.items()}
    for field in known:
        answer = service.call(full, {**known, field: [1]})
        report(answer.get("error") == wrong and answer["parameters"] == {"parameter": field},
               f"{full}: a {field} of the wrong type is refused by name")
    for field, (prefix, _) in parameters.items():
        answer = service.call(full, {key: known[key] for key in known if key != field})
        missing = answer.get("error") == wrong and answer["parameters"] == {"parameter": field}
        report(missing != prefix.startswith("?"), f"{full}: {field} can be left out if described so")
    answer = service.call(full, {**known, "unheard_of": 1})
    report(answer.get("error") == wrong, f"{full}: an unknown parameter is refused")
    answer = service.call(full, known)
    if "error" in answer:
        own, _, error = answer["error"].rpartition(".")
        of = interfaces[own]
        report(of.fits(of.errors[error], answer["parameters"]),
               f"{full}: its error is as described")
    else:
        report(interface.fits(reply, answer["parameters"]), f"{full}: its reply is as described")


def check_events(service, interface):
    """A method that answers more than once, from the side of somebody who makes it do so."""
    follower = Service(sys.argv[1])
    first = follower.call(f"{interface.name}.Monitor", more=True)
    service.call(f"{interface.name}.Apply", {"config": "version: 1\nname: vm0\n"})
    service.call(f"{interface.name}.Delete", {"name": "vm0"})
    events = [first, follower.receive(), follower.receive()]
    report(all(interface.fits(interface.methods["Monitor"][1], e["parameters"]) and e["continues"]
               for e in events), f"{interface.name}.Monitor: its replies are as described")
    report([e["parameters"]["event"]["kind"] for e in events] ==
           ["monitoring", "applied", "deleted"], f"{interface.name}.Monitor: they come in order")


def main():
    service = Service(sys.argv[1])
    interfaces = {}
    info = service.call("org.varlink.service.GetInfo")["parameters"]
    for name in info["interfaces"]:
        text = service.call("org.varlink.service.GetInterfaceDescription",
                            {"interface": name})["parameters"]["description"]
        interface = interfaces[name] = Interface(text)
        report(interface.name == name, f"{name}: its description parses")
        report(interface.check_references(), f"{name}: its types are defined and used")
        for method in interface.methods:
            check_method(service, interfaces, interface, method)
        if name == "io.ioasidctl":
            config = {"config": "version: 1\nname: vm0\n", "verbose": True}
            for method, parameters in (("Plan", {"config": config["config"]}), ("Apply", config),
                                       ("Show", {}), ("Show", {"name": "vm0", "form": "yaml"}),
                                       ("Delete", {"name": "vm0"})):
                answer = service.call(f"{name}.{method}", parameters)
                report("error" not in answer and
                       interface.fits(interface.methods[method][1], answer["parameters"]),
                       f"{name}.{method}: a good call's reply is as described")
            check_events(service, interface)


main()
