// Makes a failing plan smaller: steps are left out, in ever smaller groups, while it still fails.
const SHRINK_MS_MAX = 90_000;

export async function shrink(failed, run) {
  const deadline = Date.now() + SHRINK_MS_MAX;
  const tries = async (steps) => {
    if (Date.now() > deadline) return null;
    const ran = await run(steps);
    return ran.fault ? ran : null;
  };
  let least = await tries(failed.steps);
  if (!least) return null;
  for (let size = least.steps.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < least.steps.length; ) {
      const steps = [...least.steps.slice(0, at), ...least.steps.slice(at + size)];
      const ran = await tries(steps);
      if (ran) least = ran;
      else at += size;
    }
  }
  return least;
}
