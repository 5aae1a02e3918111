package dev.muelle.services.ec2.state;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
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

  public static List<PrefixListEntry> of(Tx tx, String id, long version) {
    return tx.get(VERSIONS, key(id, version))
        .orElseThrow(() ->
            Refuse.because(
                "PrefixListVersionNotFound",
                "The prefix list version " + version + " of " + id + " does not exist"))
        .value()
        .entries();
  }

  public static String key(String id, long version) {
    return id + "/" + version;
  }
}
