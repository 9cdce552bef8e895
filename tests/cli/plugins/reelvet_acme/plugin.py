from reelvet.plugins import Capabilities, Capability, DataHandling, Parallel, ProviderSpec, hookimpl
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.result import Relation

LOOKS_FOR = ("sexual.explicit.pornography", "violence.graphic.blood_gore")
ENTRIES = tuple(
    Capability(
        label,
        channels=(Channel.VISUAL,),
        relation=Relation.EXACT,
        kinds=(MediaKind.VIDEO, MediaKind.IMAGE),
        switch="all",
    )
    for label in LOOKS_FOR
)
CAPABILITIES = Capabilities(
    entries=ENTRIES,
    schemes=frozenset({"http", "https", "file", "acme"}),
    wishes=frozenset({"interval"}),
    operations=frozenset({"cancel", "find", "learn"}),
    parallel=(Parallel(MediaKind.VIDEO, 10), Parallel(MediaKind.LIVE, 100, waits=False)),
)


@hookimpl
def reelvet_register(register):
    register(
        ProviderSpec(
            id="acme",
            title="Acme Vision",
            provider="reelvet_acme.provider:AcmeProvider",
            settings="reelvet_acme.settings:AcmeSettings",
            options="reelvet_acme.settings:AcmeOptions",
            capabilities=CAPABILITIES,
            data_handling=DataHandling("Acme's cellar", "a day", "https://acme.test/privacy"),
        )
    )
    register(
        ProviderSpec(
            id="runner",
            title="Works here",
            provider="reelvet_acme.provider:RunnerProvider",
            capabilities=Capabilities(
                entries=ENTRIES, schemes=frozenset({"http", "https", "file"}), operations=frozenset({"run", "cancel"})
            ),
            needs_account=False,
        )
    )
