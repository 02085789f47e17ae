"""A tenant and what it owns: runs, queue, clock. All of it is kept in memory."""
