import fc from "fast-check";

/** What the properties and the short fuzz try: the same in every run, so that a commit is what makes one fail. */
export const seed = Number(process.env.TEST_SEED ?? 20261123);

// bunfig.toml loads this before the tests.
fc.configureGlobal({ seed });
