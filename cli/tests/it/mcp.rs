//! `ipc mcp` as hosts use it: the real server, one JSON object a line.

mod identity;
