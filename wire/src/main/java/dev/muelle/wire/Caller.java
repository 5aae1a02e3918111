package dev.muelle.wire;

/**
 * Who is calling, and in which account and region. Travels in a {@link ScopedValue}, so that
 * service methods keep the SDK's own signatures. Loops that act on a service's behalf bind one too.
 *
 * @param account 12 digits
 * @param region for example {@code us-east-1}
 * @param arn the principal, for example {@code arn:aws:iam::000000000000:root}
 * @param userId the principal's unique id, as sts:GetCallerIdentity shows it
 * @param accessKeyId the key that signed, or the empty string for internal callers
 * @param requestId the id that the answer carries
 */
public record Caller(
    String account,
    String region,
    String arn,
    String userId,
    String accessKeyId,
    String requestId) {

  /** Bound for the length of one request. */
  public static final ScopedValue<Caller> CURRENT = ScopedValue.newInstance();

  /**
   * The caller of the request that this thread is serving.
   *
   * @throws java.util.NoSuchElementException outside a request
   */
  public static Caller current() {
    return CURRENT.get();
  }
}
