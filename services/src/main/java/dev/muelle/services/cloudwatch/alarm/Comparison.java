package dev.muelle.services.cloudwatch.alarm;

import java.util.Optional;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;

/** How a value breaches a threshold, and how reasons say so. */
enum Comparison {
  GREATER("greater than the threshold"),
  GREATER_OR_EQUAL("greater than or equal to the threshold"),
  LESS("less than the threshold"),
  LESS_OR_EQUAL("less than or equal to the threshold");

  final String words;

  Comparison(String words) {
    this.words = words;
  }

  /** Empty for those that need a band, which is a model of what is normal. */
  static Optional<Comparison> of(ComparisonOperator operator) {
    return switch (operator) {
      case GREATER_THAN_THRESHOLD -> Optional.of(GREATER);
      case GREATER_THAN_OR_EQUAL_TO_THRESHOLD -> Optional.of(GREATER_OR_EQUAL);
      case LESS_THAN_THRESHOLD -> Optional.of(LESS);
      case LESS_THAN_OR_EQUAL_TO_THRESHOLD -> Optional.of(LESS_OR_EQUAL);
      default -> Optional.empty();
    };
  }

  boolean breaches(double value, double threshold) {
    return switch (this) {
      case GREATER -> value > threshold;
      case GREATER_OR_EQUAL -> value >= threshold;
      case LESS -> value < threshold;
      case LESS_OR_EQUAL -> value <= threshold;
    };
  }
}
