"""Measurements of what a person waits for; each module prints JSON lines."""

from ddmi_core.support.threads import spare_the_machine

spare_the_machine()  # as the command and the studio do
