package dev.muelle.services;

/**
 * Whose a service is: one account in one region.
 *
 * @param account 12 digits
 * @param region for example {@code us-east-1}
 */
public record Scope(String account, String region) {

  /** {@code arn:aws:service:region:account:resource}. */
  public String arn(String service, String resource) {
    return "arn:aws:" + service + ":" + region + ":" + account + ":" + resource;
  }

  /** {@code arn:aws:service::account:resource}, for global services such as IAM. */
  public String globalArn(String service, String resource) {
    return "arn:aws:" + service + "::" + account + ":" + resource;
  }

  /** The store's scope of this region. */
  public String storeScope() {
    return account + "/" + region;
  }
}
