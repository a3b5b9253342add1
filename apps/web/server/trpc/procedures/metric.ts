import { z } from 'zod'
import { metricInputSchema, metricSeriesSchema, vmNowSchema } from '../../views/metric.ts'
import { personProcedure, procedureOn, router } from '../trpc.ts'
import { untilDone } from './watch.ts'

export const metricRouter = router({
  latest: personProcedure
    .output(z.array(vmNowSchema))
    .query(({ ctx }) => ctx.services.metrics.latest(ctx.viewer)),
  vm: procedureOn('vm', 'viewer')
    .input(metricInputSchema)
    .output(metricSeriesSchema)
    .query(({ ctx, input }) => ctx.services.metrics.ofVm(input.id, input.range)),
  watchVm: procedureOn('vm', 'viewer')
    .input(metricInputSchema)
    .subscription(({ ctx, input, signal }) =>
      untilDone(signal, (until) => ctx.services.metrics.watchVm(input.id, input.range, until)),
    ),
  /** Of a whole box, whose figures everybody in the home may see. */
  host: personProcedure
    .input(metricInputSchema)
    .output(metricSeriesSchema)
    .query(({ ctx, input }) => ctx.services.metrics.ofHost(input.id, input.range)),
  watchHost: personProcedure
    .input(metricInputSchema)
    .subscription(({ ctx, input, signal }) =>
      untilDone(signal, (until) => ctx.services.metrics.watchHost(input.id, input.range, until)),
    ),
})
