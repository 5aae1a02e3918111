package dev.muelle.balancer.messages;

/**
 * Why servers could read a request differently, though it can be read. In the words and tiers of
 * ALB's access logs.
 *
 * @see <a href="https://github.com/aws/http-desync-guardian/blob/master/docs/README.md">Request
 *     classification</a>
 */
public enum Suspicion {
  NonCompliantHeader(Tier.Acceptable, false),
  GetHeadZeroContentLength(Tier.Acceptable, false),
  UndefinedContentLengthSemantics(Tier.Ambiguous, false),
  UndefinedTransferEncodingSemantics(Tier.Ambiguous, false),
  DuplicateContentLength(Tier.Ambiguous, true),
  BothTeClPresent(Tier.Ambiguous, true),
  SuspiciousHeader(Tier.Ambiguous, true);

  /** How dangerous it is. */
  public enum Tier {
    Acceptable,
    Ambiguous
  }

  private final Tier tier;
  private final boolean smuggles;

  Suspicion(Tier tier, boolean smuggles) {
    this.tier = tier;
    this.smuggles = smuggles;
  }

  public Tier tier() {
    return tier;
  }

  /** Whether it could hide another request from one of two servers. */
  public boolean smuggles() {
    return smuggles;
  }
}
