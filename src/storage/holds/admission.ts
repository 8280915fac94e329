/** Whom a server keeps data for, and how much: asked for every request that holds something. */

/** How one who asks stands with a server now. */
export interface Standing {
  admitted: boolean
  /** Whose quota it counts against, 32 bytes: the account's own unless others share it. */
  payer: Uint8Array | undefined
  /** Bytes that all accounts of the payer may be charged together; undefined without a bound. */
  quotaBytes: number | undefined
  /** From then on nothing new is held, by the server's clock. */
  readOnlyAfterMs: number | undefined
  /** From then on the operator may end its holds. */
  purgeAfterMs: number | undefined
}

export interface Admission {
  /**
   * @param client - peer id of who asks, as authenticated; undefined within the process
   * @param account - log id, of an account that has shown its credentials or holds something;
   *   undefined where it is asked without one
   */
  standing(client: string | undefined, account: Uint8Array | undefined): Standing
}

/** Admits everyone; `quotaBytes` is what each account may be charged. */
export class OpenAdmission implements Admission {
  readonly #quotaBytes: number | undefined

  constructor(quotaBytes?: number) {
    this.#quotaBytes = quotaBytes
  }

  standing(_client: string | undefined, account: Uint8Array | undefined): Standing {
    return {
      admitted: true,
      payer: account,
      quotaBytes: account && this.#quotaBytes,
      readOnlyAfterMs: undefined,
      purgeAfterMs: undefined,
    }
  }
}
