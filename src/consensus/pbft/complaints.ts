// A member that is slow, but not so slow that its view is left for it, can take most of the throughput ("Aardvark", A.
// Clement et al., NSDI 2009). A member that finds the turns of at most f others slow complains of its view. It does not
// leave the view alone: it would be missing there. f + 1 complaints, so one of an honest member, and all leave together
// for a view that passes the slow ones over: a member that leaves shows the others the complaints that made it leave, for
// a faulty member may have sent its own to some only.

import { NUMBER_MAX } from '../log.ts'
import { faultsTolerated } from '../quorum.ts'
import { isMember } from './certificate.ts'
import type { Complaint, Statement } from './messages.ts'
import { leaveSlowView } from './new-view.ts'
import type { Replica } from './replica.ts'

/** What a complaint's signature is over. */
function complaintStatement({ view }: Pick<Complaint, 'view'>): Statement {
  return { phase: 'complaint', view, sequence: 0 }
}

/** COMPLAINT to all, once in a view, when a member has been slow for too long. */
export function considerComplaining(replica: Replica): void {
  const { self, view, leaders, complaints } = replica
  if (self === null || !replica.isActive || replica.isHalted || leaders.slow.length === 0) return
  if (complaints.get(self)?.view === view) return
  const message: Complaint = {
    type: 'complaint',
    view,
    from: self,
    signature: replica.sign(complaintStatement({ view })),
  }
  complaints.set(self, message)
  replica.broadcast(message)
  considerLeaving(replica)
}

/** COMPLAINT: noted once for each member, of the highest view. */
export function onComplaint(replica: Replica, message: Complaint): void {
  const { from, view } = message
  if (!isMember(from, replica.options.n) || !Number.isSafeInteger(view) || view > NUMBER_MAX)
    return replica.refuse('vote-of-nobody')
  if (view < replica.view || view <= (replica.complaints.get(from)?.view ?? -1)) return
  if (!replica.options.signing.isSigned(complaintStatement(message), from, message.signature))
    return replica.refuse('signature-invalid')
  replica.complaints.set(from, message)
  considerLeaving(replica)
}

function considerLeaving(replica: Replica): void {
  const { self, view, complaints, options } = replica
  const reasons = [...complaints.values()].filter(complaint => complaint.view === view)
  const enough = faultsTolerated(options.n) + 1
  if (self === null || !replica.isActive || reasons.length < enough) return
  replica.leftBecauseOf = reasons.slice(0, enough)
  showComplaints(replica)
  leaveSlowView(replica)
}

/** Shows all members the complaints for which this one left its view; nothing where it left for another reason. */
export function showComplaints(replica: Replica): void {
  for (const complaint of replica.leftBecauseOf) replica.broadcast(complaint)
}
