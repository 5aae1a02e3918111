package dev.muelle.services.ecr;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The forms of names, tags and digests. */
final class Names {

  static final String REPOSITORY_FORM =
      "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*";
  private static final int SHORTEST = 2;
  private static final int LONGEST = 256;
  private static final Pattern REPOSITORY =
      Pattern.compile("(?:[a-z0-9]++(?:[._-][a-z0-9]++)*+/)*+[a-z0-9]++(?:[._-][a-z0-9]++)*+");
  private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

  private Names() {}

  /**
   * Checks a repository's name.
   *
   * @throws software.amazon.awssdk.services.ecr.model.InvalidParameterException if it is none
   */
  static String repository(@Nullable String name) {
    if (name == null) {
      throw Refuse.parameter("repositoryName", "must not be null");
    }
    if (name.length() < SHORTEST) {
      throw Refuse.parameter(
          "repositoryName", "Member must have length greater than or equal to " + SHORTEST);
    }
    if (name.length() > LONGEST) {
      throw Refuse.parameter(
          "repositoryName", "Member must have length less than or equal to " + LONGEST);
    }
    if (!REPOSITORY.matcher(name).matches()) {
      throw Refuse.parameter(
          "repositoryName", "must satisfy regular expression '" + REPOSITORY_FORM + "'");
    }
    return name;
  }

  static boolean isRepository(String name) {
    return name.length() >= SHORTEST
        && name.length() <= LONGEST
        && REPOSITORY.matcher(name).matches();
  }

  static boolean isTag(String tag) {
    return TAG.matcher(tag).matches();
  }

  static boolean isDigest(String digest) {
    return DIGEST.matcher(digest).matches();
  }
}
