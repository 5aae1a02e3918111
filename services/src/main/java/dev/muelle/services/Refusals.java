package dev.muelle.services;

import java.util.Objects;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/** What services say when they refuse something, for those who pass it on. */
public final class Refusals {

  private Refusals() {}

  /** The service's own words, without what the SDK adds to them. */
  public static String words(AwsServiceException refusal) {
    return refusal.awsErrorDetails() == null
        ? Objects.requireNonNullElse(refusal.getMessage(), "")
        : refusal.awsErrorDetails().errorMessage();
  }
}
