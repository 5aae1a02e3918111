package dev.muelle.services.ec2.state;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.PrefixListEntry;

/** What was in a prefix list at one of its versions. */
public record PrefixListVersion(List<PrefixListEntry> entries) {

  /** The entries of each version; the key is {@code id/version}. */
  public static final Table<PrefixListVersion> VERSIONS =
      Table.of("ec2.prefix_list_versions", StoredJson.codec(PrefixListVersion.class));

  /** The entries that a rule means now. */
  public static List<PrefixListEntry> current(Tx tx, String id) {
    return of(tx, id, Kind.PREFIX_LIST.get(tx, id).version());
  }

  /** The blocks of {@link #current}. */
  public static List<String> blocks(Tx tx, String id) {
    return current(tx, id).stream().map(PrefixListEntry::cidr).toList();
  }

  public static List<PrefixListEntry> of(Tx tx, String id, long version) {
    return tx.get(VERSIONS, key(id, version))
        .orElseThrow(() ->
            Refuse.because(
                "PrefixListVersionNotFound",
                "The prefix list version " + version + " of " + id + " does not exist"))
        .value()
        .entries();
  }

  /**
   * How many rules or routes one counts for that refers to a list: as many as the list may have
   * entries.
   *
   * @param id null for one that refers to none
   */
  public static int weight(Tx tx, @Nullable String id) {
    return Optional.ofNullable(id)
        .flatMap(list -> tx.get(Tables.PREFIX_LISTS, list))
        .map(row -> row.value().maxEntries())
        .orElse(1);
  }

  public static String key(String id, long version) {
    return id + "/" + version;
  }
}
