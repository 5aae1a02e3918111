package dev.muelle.services.cloudwatch.series;

import java.util.List;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/** The units that metrics may have. */
public final class Units {

  public static final List<String> ALL =
      StandardUnit.knownValues().stream().map(StandardUnit::toString).sorted().toList();

  private Units() {}
}
