// Elysia reads NODE_ENV as it is loaded, and unless that says production it writes what a faulty request held into an
// error's message, indented: seconds and gigabytes for a request of 100 KB that nests deep.
Object.assign(Bun.env, { NODE_ENV: "production" });
