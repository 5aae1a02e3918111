package dev.muelle.services.ecs;

import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterNotFoundException;

/** The clusters that requests mean, by name, by ARN, or by saying nothing. */
final class ClusterNames {

  /** Keyed by name. */
  static final Table<Cluster> TABLE =
      Table.of("ecs.clusters", StoredJson.codec(Cluster.class)).remember();

  static final String DEFAULT = "default";
  static final String ACTIVE = "ACTIVE";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,254}");

  private final Scope scope;

  ClusterNames(Scope scope) {
    this.scope = scope;
  }

  /**
   * The active cluster that a request means.
   *
   * @param reference a name or an ARN; null for the default cluster
   */
  Cluster active(Tx tx, @Nullable String reference) {
    return tx.get(TABLE, name(reference))
        .map(Row::value)
        .filter(ClusterNames::isActive)
        .orElseThrow(ClusterNames::notFound);
  }

  /** As {@link #active}, but an inactive one is shown too. */
  Cluster known(Tx tx, @Nullable String reference) {
    return tx.get(TABLE, name(reference)).map(Row::value).orElseThrow(ClusterNames::notFound);
  }

  /** Whether a cluster may have this name. */
  static boolean isValid(String name) {
    return NAME.matcher(name).matches();
  }

  static boolean isActive(Cluster cluster) {
    return cluster.status().equals(ACTIVE);
  }

  private static ClusterNotFoundException notFound() {
    return ClusterNotFoundException.builder().message("Cluster not found.").build();
  }

  String name(@Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      return DEFAULT;
    }
    if (reference.startsWith("arn:")) {
      String prefix = arn("");
      if (!reference.startsWith(prefix)) {
        throw notFound(); // another account's or region's
      }
      return reference.substring(prefix.length());
    }
    if (!isValid(reference)) {
      throw Refuse.invalid("Invalid identifier: Unexpected number of separators");
    }
    return reference;
  }

  String arn(String name) {
    return scope.arn("ecs", "cluster/" + name);
  }
}
