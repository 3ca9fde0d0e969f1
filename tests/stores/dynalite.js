// dynalite on 127.0.0.1 only, which its own command can't; tables are there at once.
const { createRequire } = require("module");
const { join } = require("path");
const dynalite = createRequire(join(process.cwd(), "target/stores/"))("dynalite");

dynalite({ createTableMs: 0, deleteTableMs: 0 }).listen(Number(process.argv[2]), "127.0.0.1");
