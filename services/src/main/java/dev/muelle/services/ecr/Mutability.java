package dev.muelle.services.ecr;

import java.util.List;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ecr.model.ImageTagMutability;
import software.amazon.awssdk.services.ecr.model.ImageTagMutabilityExclusionFilter;
import software.amazon.awssdk.services.ecr.model.ImageTagMutabilityExclusionFilterType;
import software.amazon.awssdk.services.ecr.model.Repository;

/**
 * Whether a tag may be moved to another image.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html">Preventing
 *     image tags from being overwritten</a>
 */
final class Mutability {

  private static final int MOST_FILTERS = 5;
  private static final int MOST_WILDCARDS = 2;
  private static final Pattern FILTER = Pattern.compile("[0-9a-zA-Z._*-]{1,128}");

  private Mutability() {}

  static boolean fixed(Repository repository, String tag) {
    return switch (repository.imageTagMutability()) {
      case IMMUTABLE -> true;
      case IMMUTABLE_WITH_EXCLUSION -> !excluded(repository, tag);
      case MUTABLE_WITH_EXCLUSION -> excluded(repository, tag);
      case MUTABLE, UNKNOWN_TO_SDK_VERSION -> false;
    };
  }

  private static boolean excluded(Repository repository, String tag) {
    return repository.imageTagMutabilityExclusionFilters().stream()
        .anyMatch(filter -> matches(filter.filter(), tag));
  }

  private static boolean matches(String filter, String tag) {
    return Pattern.matches("\\Q" + filter.replace("*", "\\E.*\\Q") + "\\E", tag);
  }

  /** Checks what a request asks for. */
  static void check(ImageTagMutability wanted, List<ImageTagMutabilityExclusionFilter> filters) {
    boolean takesFilters =
        switch (wanted) {
          case IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION -> true;
          case IMMUTABLE, MUTABLE -> false;
          case UNKNOWN_TO_SDK_VERSION ->
              throw Refuse.parameter(
                  "imageTagMutability",
                  "Member must satisfy enum value set: [IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION, IMMUTABLE, MUTABLE]");
        };
    String name = "imageTagMutabilityExclusionFilters";
    if (takesFilters == filters.isEmpty()) {
      throw Refuse.parameter(
          name,
          takesFilters
              ? "must be given when imageTagMutability is " + wanted
              : "must not be given when imageTagMutability is " + wanted);
    }
    if (filters.size() > MOST_FILTERS) {
      throw Refuse.parameter(name, "Member must have length less than or equal to " + MOST_FILTERS);
    }
    for (ImageTagMutabilityExclusionFilter filter : filters) {
      if (filter.filterType() != ImageTagMutabilityExclusionFilterType.WILDCARD) {
        throw Refuse.parameter(name, "Member must satisfy enum value set: [WILDCARD]");
      }
      if (filter.filter() == null || !FILTER.matcher(filter.filter()).matches()) {
        throw Refuse.parameter(name, "must satisfy regular expression '^[0-9a-zA-Z._*-]{1,128}'");
      }
      if (filter.filter().chars().filter(c -> c == '*').count() > MOST_WILDCARDS) {
        throw Refuse.parameter(name, "a filter may have at most two wildcards");
      }
    }
  }
}
