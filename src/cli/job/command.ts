/** Commands that several processes of one job run together, started by `mpirun`. */

import { asRank } from "../../distributed/as_rank.ts";
import { type Communicator, oneProcess } from "../../distributed/communicator.ts";
import { joinJob } from "../../distributed/job.ts";
import { type Command, execute, printFailure, silence } from "../command.ts";
import { withGpuOption } from "../gpu_option.ts";
import { announceAdapters } from "./adapters.ts";

const shareGpu = "--share-gpu";

const help = `
In a job, started by mpirun -n N or srun, N processes run this command together; all take the same options.

  ${shareGpu}         let processes on one machine compute on one GPU
`.trim();

/**
 * Runs a command as one process of a job, and ends the process. Rank 0 prints for all. A rank that fails reports it by
 * name, and ends the job.
 * @param task the command's task outside jobs
 */
export async function executeInJob(
  task: string,
  commandOf: (communicator: Communicator) => Command,
): Promise<never> {
  const command: Command = {
    ...commandOf(oneProcess),
    async run(args) {
      const communicator = joinJob();
      if (communicator.rank > 0) silence();
      return await asRank(communicator, printFailure, async () => {
        await announceAdapters(communicator, args.includes(shareGpu));
        return await commandOf(communicator).run(args.filter((argument) => argument !== shareGpu));
      });
    },
  };
  // Libraries may be opened until the job is joined.
  const whole = withGpuOption(task, command, true);
  return await execute({ ...whole, help: `${whole.help}\n\n${help}` });
}
