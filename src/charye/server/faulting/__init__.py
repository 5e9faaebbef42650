"""What goes wrong on purpose. The door is `charye.server.faults`."""
