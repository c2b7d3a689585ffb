/** Loaded before the service: has it meet a fault of ours at a signal, of the kind that `CRASH` names. */
process.on("SIGUSR2", () => {
  const fault = new Error(`no such thing: DISCORD_TOKEN=${process.env.PLANTED}\nand more`);
  if (process.env.CRASH === "rejection") void Promise.reject(fault);
  else
    setTimeout(() => {
      throw fault;
    });
});
