"""Speech to text, one module for each way. `charye.server.ears` is the door to them."""
