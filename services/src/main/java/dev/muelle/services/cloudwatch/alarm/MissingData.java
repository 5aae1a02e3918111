package dev.muelle.services.cloudwatch.alarm;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a period without a value means. */
enum MissingData {
  BREACHING("Breaching"),
  NOT_BREACHING("NonBreaching"),
  IGNORE("Ignore"),
  MISSING("Missing");

  /** Its name in reasons. */
  final String words;

  MissingData(String words) {
    this.words = words;
  }

  static Optional<MissingData> of(@Nullable String name) {
    return switch (name) {
      case "breaching" -> Optional.of(BREACHING);
      case "notBreaching" -> Optional.of(NOT_BREACHING);
      case "ignore" -> Optional.of(IGNORE);
      case "missing" -> Optional.of(MISSING);
      case null -> Optional.of(MISSING);
      default -> Optional.empty();
    };
  }
}
