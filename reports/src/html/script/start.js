// Last: the window that the address asks for.

if (run) windowed.obey();
