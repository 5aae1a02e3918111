package dev.muelle.services.ecs.state;

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
public final class ClusterNames {

  /** Keyed by name. */
  public static final Table<Cluster> TABLE =
      Table.of("ecs.clusters", StoredJson.codec(Cluster.class)).remember();

  public static final String DEFAULT = "default";
  public static final String ACTIVE = "ACTIVE";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,254}");

  private final Scope scope;

  public ClusterNames(Scope scope) {
    this.scope = scope;
  }

  /**
   * The active cluster that a request means.
   *
   * @param reference a name or an ARN; null for the default cluster
   */
  public Cluster active(Tx tx, @Nullable String reference) {
    return tx.get(TABLE, name(reference))
        .map(Row::value)
        .filter(ClusterNames::isActive)
        .orElseThrow(ClusterNames::notFound);
  }

  /** As {@link #active}, but an inactive one is shown too. */
  public Cluster known(Tx tx, @Nullable String reference) {
    return tx.get(TABLE, name(reference)).map(Row::value).orElseThrow(ClusterNames::notFound);
  }

  /** Whether a cluster may have this name. */
  public static boolean isValid(String name) {
    return NAME.matcher(name).matches();
  }

  public static boolean isActive(Cluster cluster) {
    return cluster.status().equals(ACTIVE);
  }

  private static ClusterNotFoundException notFound() {
    return ClusterNotFoundException.builder().message("Cluster not found.").build();
  }

  public String name(@Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      return DEFAULT;
    }
    if (reference.startsWith("arn:")) {
      String[] parts = reference.split(":", 6);
      if (parts.length == 6 && !parts[3].equals(scope.region())) {
        throw Refuse.invalid("Invalid Region in ARN");
      }
      String prefix = arn("");
      if (!reference.startsWith(prefix)) {
        throw notFound(); // another account's
      }
      return reference.substring(prefix.length());
    }
    if (!isValid(reference)) {
      throw Refuse.invalid("Invalid identifier: Unexpected number of separators");
    }
    return reference;
  }

  public String arn(String name) {
    return scope.arn("ecs", "cluster/" + name);
  }
}
