import { FencedMemberError } from "@logstore/codec";

/** @param why continues "member …" */
export function fenced(group: string, memberId: string, why: string): FencedMemberError {
  return new FencedMemberError(`member ${memberId} ${why}: join group ${group} anew`, { group });
}
