"""What a plugin can bring to scorekit: a task, a log reader, a meter and a rating rule, one module each."""
