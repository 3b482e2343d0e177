"""Everything a person can do, as data: menus, tool strip, shortcuts and the shortcut sheet all come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from studio.keymap import Keymap
from studio.theme.theme import Theme

Scope = Literal["window", "viewport", "picture", "player", "orbit", "history"]


@dataclass(frozen=True)
class Words:
    """How a room speaks of its signals, in menus, tips and messages."""

    domain: str
    noun: str
    """One signal, such as "shape"; its plural has an s."""
    source: str
    """What can be reconstructed, such as "mesh or point cloud"."""
    written_as: str
    """What it is exported as, such as "OBJ, GLB, PLY or STL"."""
    file: str
    """What kind of file an export is, such as "a mesh file"."""

    def put_into(self, text: str) -> str:
        """Fill the places {noun}, {Noun}, {source} and {written_as} of a text."""
        return text.format(noun=self.noun, Noun=self.noun.capitalize(), source=self.source, written_as=self.written_as)


@dataclass(frozen=True)
class ActionSpec:
    """One action. `scope` says where its shortcuts work: in the whole window, a room's viewport, or the history.

    `menu` is the menu that lists it, `A/B` for submenu B of A, empty for none; `section` groups menu and sheet.
    Actions that share a `choice` exclude each other. `room` is the domain in whose room alone it is there. Texts may
    have places for a room's :class:`Words`. `also`: other words that people may look for it by.
    """

    id: str
    text: str
    section: str
    menu: str = ""
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    choice: str = ""
    scope: Scope = "window"
    room: str = ""
    also: str = ""


_SHAPE_ROOM: tuple[ActionSpec, ...] = tuple(
    replace(spec, room="shape")
    for spec in (
        ActionSpec(
            "view_home",
            "Perspective view",
            "View",
            "View",
            ("5",),
            "view-home",
            "Look from the front right",
            also="three-quarter corner camera angle",
        ),
        ActionSpec("view_front", "Front view", "View", "View", ("1",), "view-front", also="camera angle"),
        ActionSpec("view_side", "Side view", "View", "View", ("3",), "view-side", also="profile right camera angle"),
        ActionSpec("view_top", "Top view", "View", "View", ("7",), "view-top", also="plan above bird camera angle"),
        ActionSpec(
            "fit",
            "Fit to window",
            "View",
            "View",
            ("F",),
            "fit",
            "Show all of the shape from this side",
            also="zoom all frame centre center",
        ),
        ActionSpec(
            "reset", "Reset the view", "View", "View", ("Home",), "reset", scope="viewport", also="home default camera"
        ),
        ActionSpec(
            "wireframe",
            "Wireframe",
            "Display",
            "View",
            ("W",),
            "wireframe",
            checkable=True,
            also="edges triangles mesh polygons topology",
        ),
        ActionSpec(
            "shape_fidelity",
            "Fidelity…",
            "Display",
            "View",
            ("Q",),
            "fidelity",
            "Fit your file again, closer to it or smaller",
            also="quality fit refit small balanced faithful size again",
        ),
        ActionSpec("grid", "Floor grid", "Display", "View", ("G",), "grid", checkable=True, also="ground plane lines"),
        ActionSpec("axes", "Axes", "Display", "View", ("A",), "axes", checkable=True, also="gizmo orientation xyz"),
        ActionSpec("orbit_left", "Orbit left", "Camera", "", ("Left",), scope="viewport"),
        ActionSpec("orbit_right", "Orbit right", "Camera", "", ("Right",), scope="viewport"),
        ActionSpec("orbit_up", "Orbit up", "Camera", "", ("Up",), scope="viewport"),
        ActionSpec("orbit_down", "Orbit down", "Camera", "", ("Down",), scope="viewport"),
        ActionSpec("pan_left", "Pan left", "Camera", "", ("Shift+Left",), scope="viewport"),
        ActionSpec("pan_right", "Pan right", "Camera", "", ("Shift+Right",), scope="viewport"),
        ActionSpec("pan_up", "Pan up", "Camera", "", ("Shift+Up",), scope="viewport"),
        ActionSpec("pan_down", "Pan down", "Camera", "", ("Shift+Down",), scope="viewport"),
        ActionSpec("zoom_in", "Zoom in", "Camera", "", ("+", "="), scope="viewport"),
        ActionSpec("zoom_out", "Zoom out", "Camera", "", ("-",), scope="viewport"),
    )
)

_PICTURE_ROOM: tuple[ActionSpec, ...] = tuple(
    replace(spec, room="image")
    for spec in (
        ActionSpec(
            "whole",
            "Fit to window",
            "View",
            "View",
            ("F", "0"),
            "fit-picture",
            "Show the whole picture",
            also="zoom all whole reset",
        ),
        ActionSpec(
            "one_to_one",
            "One to one",
            "View",
            "View",
            ("1",),
            "one-to-one",
            "One pixel of the screen for each pixel of your file, or of a 256 pixel picture",
            also="100% actual pixels size",
        ),
        ActionSpec("closer", "Zoom in", "View", "View", ("+", "="), "zoom-in", scope="picture"),
        ActionSpec("farther", "Zoom out", "View", "View", ("-",), "zoom-out", scope="picture"),
        ActionSpec(
            "lift_cap",
            "Lift the zoom cap",
            "View",
            "View",
            ("L",),
            "unlock",
            "Zoom beyond 64×, down to the last digit of the coordinates",
            checkable=True,
            also="limit maximum infinite unlimited",
        ),
        ActionSpec(
            "compare_off",
            "The function alone",
            "Compare",
            "View",
            ("2",),
            "function",
            "Show the function at the screen's own pixels",
            checkable=True,
            choice="compare",
        ),
        ActionSpec(
            "compare_nearest",
            "Compare with pixels",
            "Compare",
            "View",
            ("3",),
            "nearest",
            "Right of the bar: the pixels of your file, or of a 256 pixel picture, as squares",
            checkable=True,
            choice="compare",
            also="blocky raster original",
        ),
        ActionSpec(
            "compare_bicubic",
            "Compare with bicubic",
            "Compare",
            "View",
            ("4",),
            "bicubic",
            "Right of the bar: your file, or a 256 pixel picture, enlarged smoothly",
            checkable=True,
            choice="compare",
            also="interpolation upscale smooth",
        ),
        ActionSpec(
            "fidelity",
            "Fidelity…",
            "Compare",
            "View",
            ("Q",),
            "fidelity",
            "Fit your file again, closer to it or smaller",
            also="quality fit refit small balanced faithful size again",
        ),
        ActionSpec(
            "navigator",
            "Navigator",
            "Display",
            "View",
            ("N",),
            "navigator",
            "Show where in the picture you are",
            checkable=True,
            also="minimap overview map",
        ),
        ActionSpec(
            "basis",
            "Basis fields…",
            "Display",
            "View",
            ("B",),
            "basis",
            "Show the three scales that the picture is read from, and their spectra",
            also="features planes spectrum frequencies fourier",
        ),
        ActionSpec(
            "walk",
            "Walk to another picture…",
            "Display",
            "View",
            ("W",),
            "walk",
            "Interpolate between this picture and another one of the history",
            also="morph interpolate blend mix between",
        ),
        ActionSpec("go_left", "Pan left", "Picture", "", ("Left",), scope="picture"),
        ActionSpec("go_right", "Pan right", "Picture", "", ("Right",), scope="picture"),
        ActionSpec("go_up", "Pan up", "Picture", "", ("Up",), scope="picture"),
        ActionSpec("go_down", "Pan down", "Picture", "", ("Down",), scope="picture"),
        ActionSpec("bar_left", "Move the bar left", "Picture", "", ("Shift+Left",), scope="picture"),
        ActionSpec("bar_right", "Move the bar right", "Picture", "", ("Shift+Right",), scope="picture"),
    )
)

_RADIANCE_ROOM: tuple[ActionSpec, ...] = tuple(
    replace(spec, room="nerf")
    for spec in (
        *(
            ActionSpec(
                f"channel_{channel}",
                text,
                "Channel",
                "View",
                (key,),
                channel,
                tip,
                checkable=True,
                choice="channel",
            )
            for channel, text, key, tip in (
                ("colour", "Colour", "2", "Show the light that reaches the camera"),
                ("depth", "Depth", "4", "Show how far away what is seen is, near bright"),
                ("normals", "Normals", "6", "Show which way surfaces face"),
                ("opacity", "Opacity", "8", "Show how much of the background is covered"),
            )
        ),
        ActionSpec(
            "look_home",
            "Perspective view",
            "View",
            "View",
            ("5",),
            "view-home",
            "Look from the front right",
            also="three-quarter corner camera angle",
        ),
        ActionSpec("look_front", "Front view", "View", "View", ("1",), "view-front", also="camera angle"),
        ActionSpec("look_side", "Side view", "View", "View", ("3",), "view-side", also="profile right camera angle"),
        ActionSpec("look_top", "Top view", "View", "View", ("7",), "view-top", also="plan above bird camera angle"),
        ActionSpec(
            "look_fit",
            "Fit to window",
            "View",
            "View",
            ("F",),
            "fit",
            "Show all of the space from this side",
            also="zoom all frame centre center",
        ),
        ActionSpec(
            "look_reset",
            "Reset the view",
            "View",
            "View",
            ("Home",),
            "reset",
            scope="orbit",
            also="home default camera",
        ),
        ActionSpec(
            "fly",
            "Fly",
            "Camera",
            "View",
            ("V",),
            "fly",
            "Look around from where the camera is; W A S D move it, Q and E sink and rise",
            checkable=True,
            also="walk wasd first-person game",
        ),
        ActionSpec("gizmo", "Axes", "Display", "View", ("X",), "axes", checkable=True, also="orientation xyz"),
        ActionSpec(
            "look_pane",
            "Camera and light",
            "Display",
            "View",
            ("C",),
            "sliders",
            "Field of view, samples, background, crop box and camera path",
            checkable=True,
            also="fov lens background settings",
        ),
        ActionSpec(
            "key_frame",
            "Add a key frame",
            "Film",
            "Film",
            ("K",),
            "key-frame",
            "Let the path go through this view",
            also="keyframe camera path animation",
        ),
        ActionSpec(
            "play_path",
            "Play the path",
            "Film",
            "Film",
            ("Space",),
            tip="Go along the key frames",
            also="animation preview film",
        ),
        ActionSpec(
            "turntable",
            "Turntable…",
            "Film",
            "Film",
            ("T",),
            "turntable",
            "Write a film of a whole turn of the object",
            also="spin rotate 360 video film movie",
        ),
        ActionSpec("look_left", "Orbit left", "Camera", "", ("Left",), scope="orbit"),
        ActionSpec("look_right", "Orbit right", "Camera", "", ("Right",), scope="orbit"),
        ActionSpec("look_up", "Orbit up", "Camera", "", ("Up",), scope="orbit"),
        ActionSpec("look_down", "Orbit down", "Camera", "", ("Down",), scope="orbit"),
        ActionSpec("shift_left", "Pan left", "Camera", "", ("Shift+Left",), scope="orbit"),
        ActionSpec("shift_right", "Pan right", "Camera", "", ("Shift+Right",), scope="orbit"),
        ActionSpec("shift_up", "Pan up", "Camera", "", ("Shift+Up",), scope="orbit"),
        ActionSpec("shift_down", "Pan down", "Camera", "", ("Shift+Down",), scope="orbit"),
        ActionSpec("look_closer", "Zoom in", "Camera", "", ("+", "="), scope="orbit"),
        ActionSpec("look_farther", "Zoom out", "Camera", "", ("-",), scope="orbit"),
    )
)

_VIDEO_ROOM: tuple[ActionSpec, ...] = tuple(
    replace(spec, room="video")
    for spec in (
        ActionSpec(
            "play", "Play or pause", "Playback", "Playback", ("K",), "play", checkable=True, also="start stop resume"
        ),
        ActionSpec("play_space", "Play or pause", "Playback", "", ("Space",), scope="player"),
        ActionSpec(
            "play_back",
            "Play backwards",
            "Playback",
            "Playback",
            ("J",),
            tip="Again for twice the speed",
            also="reverse rewind",
        ),
        ActionSpec(
            "play_on", "Play onwards", "Playback", "Playback", ("L",), tip="Again for twice the speed", also="forward"
        ),
        ActionSpec(
            "frame_back",
            "One frame back",
            "Playback",
            "Playback",
            (",",),
            "step-back",
            "A 24th of a second back",
            also="previous step",
        ),
        ActionSpec(
            "frame_on",
            "One frame on",
            "Playback",
            "Playback",
            (".",),
            "step-on",
            "A 24th of a second on",
            also="next step",
        ),
        ActionSpec(
            "slower",
            "Slower",
            "Playback",
            "Playback",
            ("<",),
            tip="Half the speed, down to 1/16",
            also="speed half slow-motion",
        ),
        ActionSpec(
            "quicker",
            "Faster",
            "Playback",
            "Playback",
            (">",),
            tip="Twice the speed, up to 4×",
            also="speed double fast",
        ),
        ActionSpec(
            "loop",
            "Loop",
            "Playback",
            "Playback",
            ("R",),
            "reset",
            "Begin anew at the end of the range",
            checkable=True,
            also="repeat cycle",
        ),
        ActionSpec(
            "mark_in", "Begin the range here", "Playback", "Playback", ("I",), "mark-in", also="start cut trim in"
        ),
        ActionSpec(
            "mark_out", "End the range here", "Playback", "Playback", ("O",), "mark-out", also="stop cut trim out"
        ),
        ActionSpec(
            "clear_marks",
            "The whole clip",
            "Playback",
            "Playback",
            ("X",),
            tip="Forget both marks",
            also="all remove range",
        ),
        ActionSpec(
            "between_function",
            "The function between frames",
            "Compare",
            "View",
            ("2",),
            "function",
            "Ask the function at every moment that is shown",
            checkable=True,
            choice="between",
        ),
        ActionSpec(
            "between_repeated",
            "Repeat the base frames",
            "Compare",
            "View",
            ("3",),
            "nearest",
            "Show the nearest base frame, as a player does with a slow video",
            checkable=True,
            choice="between",
        ),
        ActionSpec(
            "between_blended",
            "Blend the base frames",
            "Compare",
            "View",
            ("4",),
            "bicubic",
            "Fade from each base frame to the next",
            checkable=True,
            choice="between",
        ),
        ActionSpec(
            "beside_file",
            "Compare with the file",
            "Compare",
            "View",
            ("5",),
            "beside-file",
            "Right of the bar: the frames of your file, while it rests and while it plays",
            checkable=True,
            also="original split bar frames",
        ),
        ActionSpec(
            "clip_fidelity",
            "Fidelity…",
            "Compare",
            "View",
            ("Y",),
            "fidelity",
            "Fit your file again, closer to it or smaller",
            also="quality fit refit small balanced faithful size again",
        ),
        ActionSpec(
            "clip_whole",
            "Fit to window",
            "View",
            "View",
            ("F", "0"),
            "fit-picture",
            "Show the whole frame",
            also="zoom all whole reset",
        ),
        ActionSpec("clip_closer", "Zoom in", "View", "View", ("+", "="), "zoom-in", scope="player"),
        ActionSpec("clip_farther", "Zoom out", "View", "View", ("-",), "zoom-out", scope="player"),
        ActionSpec(
            "slices",
            "Slices through time",
            "Display",
            "View",
            ("T",),
            "slices",
            "What passes along a horizontal and a vertical line through the pointer, time downwards",
            checkable=True,
            also="xt yt cross-section",
        ),
        ActionSpec(
            "sequence",
            "Sequence of clips",
            "Clip",
            "Playback",
            ("Q",),
            "sequence",
            "Put clips one after the other, each leading into the next through the latents between them",
            checkable=True,
            also="montage edit clips join concatenate",
        ),
        ActionSpec(
            "add_to_sequence",
            "Add to the sequence",
            "Clip",
            "Playback",
            ("Shift+Q",),
            "add",
            "Put this clip at the end of the sequence",
            also="append montage",
        ),
        ActionSpec("clip_left", "Pan left", "Clip", "", ("Left",), scope="player"),
        ActionSpec("clip_right", "Pan right", "Clip", "", ("Right",), scope="player"),
        ActionSpec("clip_up", "Pan up", "Clip", "", ("Up",), scope="player"),
        ActionSpec("clip_down", "Pan down", "Clip", "", ("Down",), scope="player"),
    )
)

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "import",
        "Reconstruct a file…",
        "{Noun}",
        "File",
        ("Ctrl+O",),
        "import",
        "Bring in a {source} and show its continuous reconstruction",
        also="open load file encode fit reconstruct drop convert",
    ),
    ActionSpec(
        "export",
        "Export…",
        "{Noun}",
        "File",
        ("Ctrl+E",),
        "export",
        "Write the {noun} as {written_as}",
        also="save download write convert mesh image video",
    ),
    ActionSpec(
        "screenshot",
        "Save a screenshot…",
        "{Noun}",
        "File",
        ("Ctrl+Shift+S",),
        "screenshot",
        "Save the view as a PNG",
        also="picture capture snapshot image save",
    ),
    ActionSpec(
        "train",
        "New training run…",
        "Training",
        "File",
        ("Ctrl+T",),
        "training",
        "Train a model on files of yours",
        also="learn fit fine-tune wizard model",
    ),
    ActionSpec(
        "settings",
        "Settings…",
        "Window",
        "File",
        ("Ctrl+,",),
        "sliders",
        "Device, memory, look, shortcuts",
        also="preferences options configuration device gpu memory keys",
    ),
    ActionSpec("quit", "Quit", "Window", "File", ("Ctrl+Q",), also="exit close leave"),
    ActionSpec(
        "undo",
        "Undo",
        "Edit",
        "Edit",
        ("Ctrl+Z",),
        "undo",
        "Bring back what was deleted, or the form as it was",
        also="restore recover trash revert back",
    ),
    ActionSpec(
        "redo", "Redo", "Edit", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), tip="Do again what was undone", also="repeat again"
    ),
    ActionSpec(
        "prompt",
        "Go to the prompt",
        "Generate",
        "Generate",
        ("Ctrl+L", "/"),
        tip="Put the cursor in the prompt",
        also="text type describe write",
    ),
    ActionSpec(
        "generate",
        "Generate",
        "Generate",
        "Generate",
        ("Ctrl+Return", "Ctrl+Enter"),
        "spark",
        also="create make render run sample new",
    ),
    ActionSpec(
        "cancel", "Cancel what was started last", "Generate", "Generate", ("Esc",), "stop", also="stop abort interrupt"
    ),
    ActionSpec(
        "dice",
        "Roll a new seed",
        "Generate",
        "Generate",
        ("Ctrl+R",),
        "dice",
        also="random randomise randomize shuffle",
    ),
    ActionSpec(
        "lock", "Keep the seed", "Generate", "Generate", ("Ctrl+Shift+R",), checkable=True, also="freeze fix pin"
    ),
    ActionSpec(
        "newer",
        "Newer {noun}",
        "History",
        "History",
        ("Alt+Left", "["),
        tip="Show the {noun} before this one",
        also="previous before next",
    ),
    ActionSpec(
        "older",
        "Older {noun}",
        "History",
        "History",
        ("Alt+Right", "]"),
        tip="Show the {noun} after this one",
        also="next after previous",
    ),
    ActionSpec(
        "recipe",
        "Use its recipe",
        "History",
        "History",
        ("Return", "Enter"),
        "recipe",
        "Bring its prompt, seed and settings into the form",
        scope="history",
        also="recall reuse settings parameters restore",
    ),
    ActionSpec(
        "copy_prompt", "Copy its prompt", "History", "History", ("Ctrl+Shift+C",), "copy", also="clipboard text"
    ),
    ActionSpec(
        "star",
        "Star",
        "History",
        "History",
        ("S",),
        "star",
        "Mark it as a favourite",
        checkable=True,
        also="favourite favorite like bookmark",
    ),
    ActionSpec(
        "delete", "Delete", "History", "History", ("Del",), "trash", scope="history", also="remove trash bin erase"
    ),
    ActionSpec(
        "empty_trash",
        "Empty the trash…",
        "History",
        "History",
        tip="Delete for good what was deleted",
        also="bin purge clean space",
    ),
    *_SHAPE_ROOM,
    *_PICTURE_ROOM,
    *_RADIANCE_ROOM,
    *_VIDEO_ROOM,
    ActionSpec(
        "inspector",
        "Inspector",
        "Window",
        "Window",
        ("Ctrl+I",),
        "inspector",
        checkable=True,
        also="sidebar panel right properties",
    ),
    ActionSpec(
        "history",
        "History",
        "Window",
        "Window",
        ("Ctrl+H",),
        checkable=True,
        also="strip gallery library thumbnails items",
    ),
    ActionSpec(
        "full_screen", "Full screen", "Window", "Window", ("F11",), checkable=True, also="fullscreen maximise maximize"
    ),
    ActionSpec(
        "messages",
        "Messages",
        "Window",
        "Window",
        ("Ctrl+M",),
        "info",
        "Read again what was said",
        also="notifications errors warnings log toasts",
    ),
    ActionSpec(
        "theme_system",
        "Follow the system",
        "Theme",
        "Window/Theme",
        checkable=True,
        choice="theme",
        also="appearance look automatic",
    ),
    ActionSpec(
        "theme_dark",
        "Dark",
        "Theme",
        "Window/Theme",
        checkable=True,
        choice="theme",
        also="night black appearance look mode",
    ),
    ActionSpec(
        "theme_light",
        "Light",
        "Theme",
        "Window/Theme",
        checkable=True,
        choice="theme",
        also="day white appearance look mode bright",
    ),
    ActionSpec("palette", "Find an action…", "Help", "Help", ("Ctrl+K",), "search", "Search all that can be done here"),
    ActionSpec(
        "guide",
        "Guide",
        "Help",
        "Help",
        ("F1",),
        "guide",
        "Read how things are done, page by page",
        also="help manual documentation how",
    ),
    ActionSpec(
        "shortcuts", "Keyboard shortcuts", "Help", "Help", ("?",), "keyboard", also="keys hotkeys bindings keymap cheat"
    ),
    ActionSpec(
        "tour",
        "Tour",
        "Help",
        "Help",
        tip="See where everything is, in two minutes",
        also="introduction tutorial onboarding start welcome",
    ),
    ActionSpec(
        "diagnostics",
        "Save diagnostics…",
        "Help",
        "Help",
        tip="The log, versions and models in one zip; nothing that you made",
        also="log report bug support problem crash",
    ),
    ActionSpec("about", "About DDMI Studio", "Help", "Help", (), "info", also="version licence license credits"),
)

MOUSE: dict[str, tuple[tuple[str, str], ...]] = {
    "shape": (
        ("Orbit", "Left drag"),
        ("Pan", "Right or middle drag"),
        ("Zoom toward the pointer", "Wheel"),
        ("Reset the view", "Double click"),
    ),
    "image": (
        ("Pan", "Drag"),
        ("Zoom toward the pointer", "Wheel"),
        ("Move the bar", "Drag the bar"),
        ("Fit to window", "Double click"),
    ),
    "nerf": (
        ("Orbit, or look around", "Left drag"),
        ("Pan", "Right or middle drag"),
        ("Zoom, or fly on", "Wheel"),
        ("Fly", "W A S D, Q E, while flying"),
        ("Reset the view", "Double click"),
    ),
    "video": (
        ("Pan", "Drag"),
        ("Zoom toward the pointer", "Wheel"),
        ("Move the playhead", "Drag on the timeline"),
        ("Zoom the timeline", "Wheel on the timeline"),
        ("Move along the timeline", "Shift + wheel"),
        ("Reorder or trim the sequence", "Drag a clip or its end"),
    ),
}
"""What the mouse does in each room."""


def actions_in(room: str) -> list[ActionSpec]:
    """The actions that are there in a room, in their order."""
    return [spec for spec in ACTIONS if spec.room in ("", room)]


class Actions(QObject):
    """The QActions of one window, by id. `keys_changed`: some have other keys now."""

    keys_changed = Signal()

    def __init__(self, window: QMainWindow, theme: Theme, keymap: Keymap | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._words: Words | None = None
        self.keymap = keymap or Keymap(ACTIONS)
        self._actions: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, window)
            action.setObjectName(spec.id)
            action.setCheckable(spec.checkable)
            action.setShortcuts([QKeySequence(keys) for keys in self.keymap.keys(spec.id)])
            if spec.icon:
                theme.bind_icon(action, spec.icon)
            if spec.choice:
                groups.setdefault(spec.choice, QActionGroup(window)).addAction(action)
            if spec.scope == "window":
                window.addAction(action)
            else:
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self._actions[spec.id] = action

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def on(self, action_id: str, handler: Callable[[], object]) -> None:
        """Call `handler` when the action is triggered."""
        self._actions[action_id].triggered.connect(lambda _checked=False: handler())

    def on_toggled(self, action_id: str, handler: Callable[[bool], object]) -> None:
        """Call `handler` with the state whenever a checkable action changes."""
        self._actions[action_id].toggled.connect(handler)

    def enter(self, words: Words) -> None:
        """Offer what there is in a room, in its words. The rest is invisible, so its shortcuts are free."""
        self._words = words
        for spec in ACTIONS:
            action = self._actions[spec.id]
            action.setVisible(spec.room in ("", words.domain))
            action.setText(words.put_into(spec.text))
            action.setToolTip(self._tool_tip(spec))
        for entry in self._window.menuBar().actions():
            menu = entry.menu()
            offered = menu.actions() if menu is not None else []  # type: ignore[attr-defined]
            entry.setVisible(any(action.isVisible() and not action.isSeparator() for action in offered))

    def take_keys(self) -> None:
        """Follow the keymap after it has changed."""
        for spec in ACTIONS:
            action = self._actions[spec.id]
            action.setShortcuts([QKeySequence(keys) for keys in self.keymap.keys(spec.id)])
            action.setToolTip(self._tool_tip(spec))
        self.keys_changed.emit()

    def hint(self, text: str, action_id: str) -> str:
        """A text and the first shortcut of an action, if it has one."""
        keys = self.keymap.keys(action_id)
        return f"{text}  ({shown_keys(keys[0])})" if keys else text

    def give_scope(self, scope: Scope, widget: QWidget) -> None:
        """Make the shortcuts of a scope work while `widget` or a child of it has the focus."""
        for spec in ACTIONS:
            if spec.scope == scope:
                widget.addAction(self._actions[spec.id])

    def fill_menus(self) -> None:
        """Build the window's menus; a line wherever the section changes."""
        bar = self._window.menuBar()
        menus: dict[str, QMenu] = {}
        last_section: dict[str, str] = {}
        for spec in ACTIONS:
            if not spec.menu:
                continue
            path = ""
            parent: QMenu | None = None
            for name in spec.menu.split("/"):
                path = f"{path}/{name}" if path else name
                if path not in menus:
                    menus[path] = parent.addMenu(name) if parent is not None else bar.addMenu(name)
                parent = menus[path]
            menu = menus[spec.menu]
            if last_section.get(spec.menu, spec.section) != spec.section:
                menu.addSeparator()
            last_section[spec.menu] = spec.section
            menu.addAction(self._actions[spec.id])

    def _tool_tip(self, spec: ActionSpec) -> str:
        """What the action does and its first shortcut."""
        text = spec.tip or spec.text.rstrip("…")
        return self.hint(self._words.put_into(text) if self._words is not None else text, spec.id)


def shown_keys(keys: str) -> str:
    """A shortcut as the system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")
