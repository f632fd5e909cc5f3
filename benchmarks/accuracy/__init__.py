"""How near a measured energy is to the exact one: scorekit, CodeCarbon and Zeus on a fake GPU of known power."""
