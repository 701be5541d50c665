"""Values every layer shares: units, ids, enums, instruments, margin arithmetic, commands, events. No behaviour, no I/O."""
