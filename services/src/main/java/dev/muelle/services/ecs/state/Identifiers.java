package dev.muelle.services.ecs.state;

import org.jspecify.annotations.Nullable;

/**
 * The ids of what belongs to a cluster, out of the names and ARNs that requests bring. An ARN of
 * another region, account or cluster means something that is not here, even if the id is.
 */
public final class Identifiers {

  private Identifiers() {}

  /**
   * The id that a request means.
   *
   * @param clusterArn of the cluster that the request is about
   * @param kind as ARNs have it, for example {@code task}
   * @param reference an id, or an ARN, also a short one without the cluster's name
   */
  public static String of(String clusterArn, String kind, @Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      throw Refuse.invalid(blank(kind));
    }
    if (!reference.startsWith("arn:")) {
      if (reference.indexOf('/') >= 0) {
        throw Refuse.invalid("Invalid identifier: Unexpected number of separators");
      }
      return reference;
    }
    String[] cluster = clusterArn.split("[:/]", 7);
    String[] arn = checked(reference, cluster[3], cluster[4])[5].split("/", -1);
    if (!arn[0].equals(kind)) {
      throw Refuse.invalid("Unsupported resource type: " + arn[0]);
    }
    if (arn.length < 2 || arn.length > 3) {
      throw Refuse.invalid("Invalid identifier: Unexpected number of separators");
    }
    if (arn.length == 3 && !arn[1].equals(cluster[6])) {
      throw Refuse.invalid(
          "Invalid identifier: Identifier is for cluster "
              + arn[1]
              + ". Your cluster is "
              + cluster[6]);
    }
    return arn[arn.length - 1];
  }

  /** The six parts of an ARN of ECS that is of this region and account. */
  public static String[] checked(String arn, String region, String account) {
    String[] parts = arn.split(":", 6);
    if (parts.length < 6 || !parts[2].equals("ecs")) {
      throw Refuse.invalid("Invalid ARN: " + arn);
    }
    if (!parts[3].equals(region)) {
      throw Refuse.invalid("Invalid Region in ARN");
    }
    if (!parts[4].equals(account)) {
      throw Refuse.invalid(
          "Invalid identifier: Identifier is for " + parts[4] + ". Your accountId is " + account);
    }
    return parts;
  }

  private static String blank(String kind) {
    String words = kind.replace('-', ' ');
    return Character.toUpperCase(words.charAt(0)) + words.substring(1) + " can not be blank.";
  }
}
