"""The scenario file: its grammar and keys, reading it with every mistake named, its schema and its documentation."""
