"""What an energy of a given uncertainty costs in measured seconds: adaptive repeats beside ten official ones."""
